"""The command `keras-vit`: parses arguments and delegates."""

import argparse
import contextlib
import os
import sys
import tempfile

from keras_vit.errors import ConditionError, InputError

VARIANTS = ("savedmodel", "fp32", "fp16", "dynamic_int8")


def main(arguments=None):
    """Runs the command line. Returns the exit code: 0 done, 1 condition not met, 2 bad input."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return options.run(options) or 0
    except InputError as error:
        return _fail(error, 2)
    except ConditionError as error:
        return _fail(error, 1)
    except KeyboardInterrupt as error:  # a training tells where it stands, and what stopped it
        hint = " Continue with the same command and --resume." if options.command == "train" else ""
        return _fail(str(error) or f"interrupted.{hint}", getattr(error, "exit_code", 130))


def _fail(message, code):
    line = " ".join(str(message).split())
    print(f"keras-vit: {line}", file=sys.stderr)
    return code


def _parser():
    parser = argparse.ArgumentParser(
        prog="keras-vit", description="Vision Transformers from training to a verified file for the phone."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", _demo, "train, evaluate, export and verify on handwritten digits")
    demo.add_argument("--run-dir", default="runs/demo", help="folder to write (default: %(default)s)")
    demo.set_defaults(data_dir=None, checkpoint_every=None)

    train = _command(
        commands,
        "train",
        _train,
        "train a recipe",
        "keras-vit train vit_digits epochs=5 --run-dir runs/digits",
    )
    train.add_argument("recipe", metavar="RECIPE", help="a name from `keras-vit list recipes`")
    train.add_argument("overrides", nargs="*", metavar="field=value", help="changes to the recipe")
    train.add_argument("--run-dir", required=True, help="folder to write")
    train.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    train.add_argument(
        "--checkpoint-every",
        metavar="N",
        help="save the state every N steps, or 30s, 10m, 1h (default: after each epoch)",
    )
    _add_data_dir(train)

    evaluate = _command(
        commands, "evaluate", _evaluate, "test a run's model", "keras-vit evaluate runs/digits"
    )
    evaluate.add_argument("run_folder", metavar="RUN")
    _add_data_dir(evaluate)

    predict = _command(
        commands,
        "predict",
        _predict,
        "classify image files",
        "keras-vit predict runs/digits/export/model_fp32.tflite photo.jpg",
    )
    predict.add_argument("model", metavar="MODEL", help="run folder, .keras, SavedModel folder or .tflite")
    predict.add_argument("files", nargs="+", metavar="FILE", help="JPEG, PNG, WebP, BMP or GIF")
    predict.add_argument("--top", type=_at_least_one, default=3, metavar="K", help="classes to show")

    export = _command(
        commands,
        "export",
        _export,
        "write and verify SavedModel and TFLite files",
        "keras-vit export runs/digits --variant fp16 --max-drop 0.2",
    )
    export.add_argument("run_folder", metavar="RUN")
    export.add_argument(
        "--variant", action="append", choices=VARIANTS, help="may be repeated; default: all of them"
    )
    export.add_argument(
        "--max-drop",
        type=_not_negative,
        default=0.5,
        metavar="POINTS",
        help="accuracy that a variant may lose, in points (default: %(default)s)",
    )
    _add_data_dir(export)

    listing = _command(commands, "list", _list, "what there is", "keras-vit list recipes")
    listing.add_argument("what", choices=("recipes", "models"))
    return parser


def _command(commands, name, run, help_line, example=None):
    command = commands.add_parser(
        name,
        help=help_line,
        description=help_line.capitalize() + ".",
        epilog=f"example: {example or 'keras-vit ' + name}",
    )
    command.set_defaults(run=run)
    return command


def _add_data_dir(command):
    command.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")


def _at_least_one(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {value}")
    return value


def _not_negative(text):
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expected points from 0 to 100, received {text}")
    return value


def _demo(options):
    options.recipe, options.overrides, options.resume = "vit_digits", [], False
    _train(options)
    options.run_folder, options.variant, options.max_drop = options.run_dir, None, 0.5
    _export(options)
    print(f"\nLook at {os.path.join(options.run_dir, 'report', 'index.html')}")


def _train(options):
    with _quiet_import():
        from training.recipe import override
        from training.recipes import find_recipe
        from training.run import run_recipe
    recipe = override(find_recipe(options.recipe).RECIPE, options.overrides)
    metrics = run_recipe(
        recipe,
        options.run_dir,
        data_dir=options.data_dir,
        resume=options.resume,
        checkpoint_every=options.checkpoint_every,
    )
    _print_metrics(metrics, options.run_dir)


def _evaluate(options):
    with _quiet_import():
        from training.run import evaluate_run
    _print_metrics(evaluate_run(options.run_folder, data_dir=options.data_dir), options.run_folder)


def _print_metrics(metrics, run_dir):
    print(
        f"{metrics['data']}, {metrics['num_images']:,} test images: accuracy {metrics['accuracy']:.4f}, "
        f"cross-entropy {metrics['cross_entropy']:.4f} nats, "
        f"calibration error {metrics['expected_calibration_error']:.4f}\n"
        f"model, metrics and report in {run_dir}"
    )


def _predict(options):
    with _quiet_import():
        import keras  # noqa: F401  the predictor needs it
        import numpy as np
        from rich.console import Console
        from rich.table import Table

        from export.predictor import load_predictor
        from keras_vit.images import read_image
    predictor = load_predictor(options.model)
    height, width, channels = predictor.image_shape
    images = np.stack([read_image(f, size=(height, width), channels=channels) for f in options.files])
    table = Table("file", "class", "probability", box=None)
    for file, probabilities in zip(options.files, predictor.probabilities(images), strict=True):
        for index in np.argsort(-probabilities, kind="stable")[: options.top]:
            name = predictor.label_names[index] if predictor.label_names else str(index)
            table.add_row(os.path.basename(file), name, f"{probabilities[index]:.4f}")
            file = ""
    Console().print(table)


def _export(options):
    with _quiet_import():
        from rich.console import Console

        from export.export_run import export_model
        from export.table import results_table
        from training.run import load_run
        from training.run_folder import RunFolder
    folder = RunFolder(options.run_folder)
    _, model, data = load_run(options.run_folder, options.data_dir)
    variants = tuple(dict.fromkeys(options.variant or VARIANTS))
    console = Console()
    export_model(
        model,
        data.label_names,
        data.test.images,
        data.test.labels,
        folder.export,
        variants=variants,
        max_drop=options.max_drop,
        report=lambda rows: console.print(results_table(rows)),
    )
    console.print(f"files and export.json in {folder.export}", highlight=False)


def _list(options):
    if options.what == "recipes":
        from training.recipes import find_recipe, recipe_names

        for name in recipe_names():
            print(f"{name:20} {find_recipe(name).__doc__.splitlines()[0]}")
        return
    with _quiet_import():
        from keras_vit.models.vit_variants import SIZES

    for name, size in SIZES.items():
        print(
            f"vit {name + '/PATCH':14} hidden_dim={size.hidden_dim} num_layers={size.num_layers} "
            f"num_heads={size.num_heads} mlp_dim={size.mlp_dim} image_size={size.image_size}"
        )


@contextlib.contextmanager
def _quiet_import():
    """Keeps what TensorFlow writes to file descriptor 2 while it is imported; shows it on failure."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
            if "tensorflow" in sys.modules:  # looks for GPUs now, and tells so now
                sys.modules["tensorflow"].config.list_physical_devices()
        except BaseException:
            os.dup2(saved, 2)
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


if __name__ == "__main__":
    sys.exit(main())
