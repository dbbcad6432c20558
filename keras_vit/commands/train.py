"""Trains a recipe."""

from keras_vit.commands.arguments import add_data_dir, add_skip_broken, at_least_one, path, selected
from keras_vit.commands.evaluate import print_metrics
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit train vit_digits epochs=5 --run-dir runs/digits"


def add_arguments(parser):
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a name from `keras-vit list recipes`, or a recipe.json or .py file"
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="field=value",
        help="changes to the recipe; a wrong name shows what there is",
    )
    parser.add_argument("--run-dir", type=path, required=True, help="folder to write")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue an interrupted run, or a finished one with a larger epochs=N",
    )
    parser.add_argument(
        "--checkpoint-every",
        metavar="N",
        help="save the state every N steps, or 30s, 10m, 1h (default: after each epoch)",
    )
    parser.add_argument(
        "--devices",
        metavar="N",
        help="split each batch over N devices, or all; with KERAS_BACKEND=jax also 2x4: two parts, "
        "4 devices share the model for each (default: one device)",
    )
    parser.add_argument(
        "--folds",
        type=at_least_one,
        metavar="K",
        help="cross-validation: train K times, each time with another of K parts as the test split; the same "
        "command continues",
    )
    add_skip_broken(parser)
    parser.add_argument(
        "--pretrained",
        type=path,
        metavar="SOURCE",
        help="start with these weights: a hub id, a folder, a file, or a run of ours (pretrained=SOURCE)",
    )
    add_data_dir(parser)
    add_json(parser, "metrics of the test split")


def run(options):
    from keras_vit.commands.slips import refuse_slips
    from keras_vit.training.run_folder import RunFolder

    refuse_slips(options.recipe, options.overrides)
    if options.folds is None and options.devices is None:  # folds and processes have run folders of their own
        folder = RunFolder(options.run_dir)
        (folder.check_started if options.resume else folder.check_unused)()
    with quiet_import():
        from keras_vit.training.recipe import override
        from keras_vit.training.recipe_file import read_recipe
        from keras_vit.training.run import train
    overrides = [*options.overrides, *["skip_broken=true"] * options.skip_broken]
    if options.pretrained is not None:
        overrides.append(f"pretrained={options.pretrained}")
    recipe = override(read_recipe(options.recipe), overrides)
    more = selected(options, "data_dir", "checkpoint_every", "devices")
    with json_file(options.json, [options.recipe]) as write:
        if options.folds is not None:
            write(_cross_validate(recipe, options, more))
            return
        trained = train(recipe, options.run_dir, resume=options.resume, **more)
        write(trained.metrics)
    print_metrics(trained.task, trained.metrics, options.run_dir)


def _cross_validate(recipe, options, more):
    from keras_vit.training.cross_validation import cross_validate, lines

    result = cross_validate(recipe, options.run_dir, folds=options.folds, **more)
    print("\n".join(lines(result)))
    print(f"folds.json and a run for each fold in {options.run_dir}")
    return result
