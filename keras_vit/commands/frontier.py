"""Compares models of images by the accuracy of their files against latency and size."""

import os
from pathlib import Path

from keras_vit.commands.arguments import add_data_dir, at_least_one, path
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import ConditionError, InputError

EXAMPLE = "keras-vit frontier runs/vit runs/levit resnet_cifar10 --out runs/frontier"


def add_arguments(parser):
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="trained runs on the same images; recipes are trained first, in OUT/runs",
    )
    parser.add_argument("--out", type=path, required=True, help="folder for table, picture and new runs")
    parser.add_argument(
        "--max-drop",
        type=float,
        default=1.0,
        metavar="POINTS",
        help="what a file may lose of the accuracy (default: %(default)s)",
    )
    parser.add_argument(
        "--threads", type=at_least_one, default=1, metavar="N", help="of the latency (default: %(default)s)"
    )
    add_data_dir(parser)
    add_json(parser, "figures")


def run(options):
    with quiet_import():
        from keras_vit.export.benchmarking.run import benchmark
        from keras_vit.export.frontier import NAMES, TABLE, Entry, write_frontier
        from keras_vit.io.files import make_folder
    with json_file(options.json, options.models) as write:
        runs = _runs(options)
        _check_comparable(runs)
        make_folder(Path(options.out))
        rows = {name: _exported(run, options) for name, run in runs.items()}
        files = [run.folder.export / rows[name]["file"] for name, run in runs.items()]
        figures = benchmark(files, num_threads=options.threads)
        entries = [
            Entry(
                name,
                _family(run.task.recipe),
                run.model.count_params(),
                row["reference_score"],
                row["score"],
                row["variant"],
                measured["median_ms"],
                measured["bytes"],
            )
            for (name, run), row, measured in zip(runs.items(), rows.values(), figures, strict=True)
        ]
        data, row = next(iter(runs.values())).data, next(iter(rows.values()))
        metric = row["metric"]
        threads = "one thread" if options.threads == 1 else f"{options.threads} threads"
        about = (
            f"{data.name}, {row['num_items']:,} test images. Each file is the fastest that loses at most "
            f"{options.max_drop:g} points of {metric} on them (`--variant auto`). Latency: median of "
            f"interleaved rounds, {threads}."
        )
        write_frontier(entries, metric, Path(options.out), about)
        write([entry._asdict() for entry in entries])
    print((Path(options.out) / TABLE).read_text(encoding="utf-8"))
    print(f"{', '.join(NAMES)} in {options.out}")


def _runs(options):
    """Returns the runs by name; recipes are trained, or their training is continued."""
    with quiet_import():
        from keras_vit.training.recipe_file import read_recipe
        from keras_vit.training.run import load_run, train

    recipes = {model: read_recipe(model) for model in options.models if not _is_run(model)}
    runs = {}
    for model in options.models:
        name = os.path.basename(os.path.abspath(model)).removesuffix(".py")
        if name in runs:
            raise InputError(f"Two models are called {name}: rename one of the folders or files.")
        folder = model
        if model in recipes:
            folder = os.path.join(options.out, "runs", name)
            done = os.path.isfile(os.path.join(folder, "metrics.json"))
            if not done:
                has_started = os.path.isfile(os.path.join(folder, "recipe.json"))
                train(recipes[model], folder, resume=has_started, data_dir=options.data_dir)
        runs[name] = load_run(folder, options.data_dir)
    return runs


def _is_run(name):
    return os.path.isfile(os.path.join(name, "model.keras"))


def _check_comparable(runs):
    """The same images and labels; then the files' scores are of one metric, that of the kind of labels."""
    for run in runs.values():
        if run.task.kind != "images":
            raise InputError(
                f"{run.folder.path} is a run of {run.task.kind}, and the comparison is of images."
            )
    known = {name: (run.data.name, run.data.label_kind, len(run.data.test)) for name, run in runs.items()}
    if len(set(known.values())) > 1:
        shown = "; ".join(f"{name}: {', '.join(map(str, facts))}" for name, facts in known.items())
        raise InputError(f"Expected runs on the same images and labels, received {shown}.")


def _exported(run, options):
    """Returns the row of the file that `auto` keeps; an earlier export of the same model serves again."""
    from keras_vit.export.verification.record import kept_by_auto

    row = kept_by_auto(run.folder.export, run.folder.model, options.max_drop)
    if row is None:
        from keras_vit.commands import export
        from keras_vit.commands.arguments import parsed

        words = [str(run.folder.path), "--variant", "auto", "--max-drop", str(options.max_drop)]
        words += ["--data-dir", str(options.data_dir)] if options.data_dir else []
        export.run(parsed(export, *words))
        row = kept_by_auto(run.folder.export, run.folder.model, options.max_drop)
    if row is None:
        raise ConditionError(f"No file of {run.folder.path} passed: see export.json there.")
    return row


def _family(recipe):
    parts = [recipe.model]
    if recipe.distill is not None:
        parts.append("distilled")
    if recipe.pretrained is not None:
        parts.append("pretrained")
    return ", ".join(parts)
