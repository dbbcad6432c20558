"""Searches for the recipe, or the hyperparameters of a builder, with the best model within limits."""

from keras_vit.commands import export
from keras_vit.commands.arguments import (
    above_zero,
    add_data_dir,
    add_skip_broken,
    at_least_one,
    at_least_zero,
    parsed,
    path,
)
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import counted
from keras_vit.io.figures import size_words

EXAMPLE = "keras-vit tune vit_digits epochs=20 hidden_dim=32,64 --max-latency-ms 0.1 --run-dir runs/tune"
TUNERS = ("random", "bayesian", "hyperband", "grid", "asha")  # those of training.tuning.state.oracles
LIMITS = {
    "max_params": (at_least_one, "N", "parameters"),
    "max_flops": (at_least_one, "N", "floating-point operations for one item"),
    "max_size_mb": (above_zero, "MB", "size of the TFLite file"),
    "max_latency_ms": (
        above_zero,
        "MS",
        "time for one item, such as an image, on one thread of this machine",
    ),
    "max_params_ratio": (above_zero, "R", "parameters, relative to those of --relative-to"),
    "max_flops_ratio": (above_zero, "R", "operations, relative to those of --relative-to"),
    "max_size_ratio": (above_zero, "R", "size, relative to that of --relative-to"),
    "max_latency_ratio": (above_zero, "R", "latency, relative to that of --relative-to, interleaved"),
}


def add_arguments(parser):
    parser.add_argument(
        "search",
        metavar="SEARCH",
        help="a name from `keras-vit list searches`; that of a recipe, with the fields to vary; a .py file "
        "with SEARCH; or a builder: module:build or a .py file with build(hp), train and validation",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="field=...",
        help="field=value fixes a field of the recipe, field=a,b or field=low:high varies it over these",
    )
    parser.add_argument(
        "--run-dir",
        type=path,
        required=True,
        help="folder to write; the same command resumes an interrupted search",
    )
    parser.add_argument("--tuner", default="random", help=f"one of {', '.join(TUNERS)} (default: random)")
    parser.add_argument("--trials", type=int, default=30, help="models to train (default: 30)")
    parser.add_argument(
        "--subset", type=at_least_one, metavar="N", help="training images of a trial; the winner gets all"
    )
    parser.add_argument(
        "--objective",
        help="a logged metric such as val_auc, also min:NAME or max:NAME (default: of recipes what the task "
        "watches, of builders val_loss)",
    )
    builders = parser.add_argument_group("builders")
    for role in ("train", "validation"):
        builders.add_argument(
            f"--{role}",
            metavar="module:name",
            help=f"data, or a function that returns them (default: {role} in the builder's module)",
        )
    builders.add_argument("--epochs", type=at_least_one, metavar="N", help="of each trial (default: 10)")
    builders.add_argument("--batch-size", type=at_least_one, metavar="N", help="of arrays (default: 32)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="trials at a time (default: 1)")
    parser.add_argument("--seed", type=at_least_zero, default=0, help="seed of the proposals (default: 0)")
    parser.add_argument(
        "--seeds",
        type=at_least_zero,
        default=3,
        metavar="N",
        help="trainings of the winner, each with another seed; 0: none (default: 3)",
    )
    limits = parser.add_argument_group("limits, checked before a model is trained")
    for name, (kind, metavar, text) in LIMITS.items():
        limits.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=text)
    limits.add_argument(
        "--relative-to", type=path, metavar="RECIPE", help="a recipe's name or file, or a run folder"
    )
    add_skip_broken(parser)
    add_data_dir(parser)
    add_json(parser, "winner, its figures and its files")
    machines = parser.add_argument_group("several machines").add_mutually_exclusive_group()
    machines.add_argument(
        "--coordinator",
        "--chief",  # as KerasTuner calls it
        metavar="HOST:PORT",
        help="coordinate the search at this address; run no trials here",
    )
    machines.add_argument("--join", metavar="HOST:PORT", help="run trials of the coordinator at this address")


def run(options):
    from keras_vit.commands.slips import refuse_slips

    refuse_slips(options.search, options.overrides, is_search=True)
    with quiet_import():
        import keras

        from keras_vit.training.tuning.api import search
    is_exported = keras.backend.backend() == "tensorflow"
    with json_file(options.json, []) as write:
        result = _search(options, search, is_exported)
        write(_found(result))
    if options.join:
        ran = len(result.records)
        print(
            f"the search has ended, {counted(ran, 'trial')} of it ran here; the coordinator has the results"
        )
        return
    _show(options, result, is_exported)


def _search(options, search, is_exported):
    shared = ("tuner", "trials", "objective", "subset", "relative_to", "seed", "seeds", "workers", "data_dir")
    builders = ("train", "validation", "epochs", "batch_size")
    return search(
        options.search,
        options.run_dir,
        overrides=[*options.overrides, *["skip_broken=true"] * options.skip_broken],
        measure=is_exported,
        coordinator=options.coordinator,
        join_at=options.join,
        **{name: getattr(options, name) for name in (*shared, *builders, *LIMITS)},
    )


def _found(result):
    """Returns what a search found, for JSON; of a machine that joined one only how many trials it ran."""
    winner = result.winner
    files = ("recipe_file", "hyperparameters_file", "model_file", "best_run", "run_dir")
    return {
        "trials": len(result.records),
        "winner": winner and {"trial": winner.id, "fields": winner.fields, "score": winner.score},
        "summary": result.summary,
        **{name: str(path) for name in files if (path := getattr(result, name, None))},
    }


def _show(options, result, is_exported):
    from rich.console import Console

    Console(emoji=False).print(result.table())
    print(f"\nwinner: {_report(result, options.seeds)}")
    if result.recipe_file:
        print(f"its recipe: {result.recipe_file}")
    else:
        print(f"its hyperparameters: {result.hyperparameters_file}")
        if result.model_file:
            print(f"its model, of the best seed: {result.model_file}")
    if not is_exported:
        print("files are written with TensorFlow: keras-vit export without KERAS_BACKEND")
    elif result.model_file:
        _export(result)
    elif result.best_run and result.recipe_file:
        data = ("--data-dir", options.data_dir) if options.data_dir else ()
        export.run(parsed(export, str(result.best_run), *data))
    print(f"results.csv, pareto.csv and pictures in {result.run_dir}")


def _export(result):
    """Writes and verifies the files of a builder's winner, against its own outputs on validation inputs."""
    from keras_vit.export import export_model
    from keras_vit.io.model_archive import load_model

    folder = result.model_file.parent / "export"
    folder.mkdir(exist_ok=True)
    rows = export_model(load_model(result.model_file), folder, inputs=result.held_inputs())
    files = ", ".join(f"{row['file']} {size_words(row['size'])}" for row in rows)
    print(f"verified against its outputs on validation data, in {folder}: {files}")


def _report(result, seeds):
    summary = result.summary
    if summary is None:
        return f"trial {result.winner.id}, not trained again"
    split = "test" if "test_mean" in summary else "validation"
    spread = summary[f"{split}_spread"] if seeds > 1 else {}
    tested = ", ".join(
        name.replace(".", " ").replace("_", " ")
        + f" {mean:.4f}"
        + (f" ± {spread[name]:.4f}" if name in spread else "")
        for name, mean in summary[f"{split}_mean"].items()
    )
    of_seeds = f", mean of {counted(seeds, 'seed')} ± standard deviation" if seeds > 1 else ", one seed"
    return f"trial {summary['trial']} ({summary['rule']}). {split.capitalize()} split{of_seeds}: {tested}"
