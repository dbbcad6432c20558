"""MODEL, the options that say what its outputs mean, and `--import MODULE` of what it needs."""

import argparse
from pathlib import Path

from keras_vit.commands.arguments import named_shape, path, per_output
from keras_vit.commands.quiet import quiet_import
from keras_vit.importing import is_name
from keras_vit.io.files import near_path

TASKS = ("classification", "labels", "regression", "embedding", "map", "sequence")  # those of export.tasks
ACTIVATIONS = ("softmax", "sigmoid")


def model_name(text):
    """Returns MODEL as it was given; a slip in the path of what is there is answered before any import."""
    name = path(text)
    if not is_name(name) and (near := near_path(Path(name), cutoff=0.75)):
        public = f" Public weights of this name are hf://{name}" if name.count("/") == 1 else ""
        raise argparse.ArgumentTypeError(f"no file or folder {name} here.{near}{public}")
    return name


def add_model(parser):
    """Adds MODEL."""
    parser.add_argument(
        "model",
        type=model_name,
        metavar="MODEL",
        help="run folder, .keras file, module:name or FILE.py:name of a model or of a function that returns "
        "one, or public weights such as timm/NAME",
    )


def add_shape(parser, whose):
    """Adds `--shape`."""
    parser.add_argument(
        "--shape",
        type=named_shape,
        action="append",
        default=[],
        metavar="[INPUT=]1,64,64,3",
        help=f"shape of an input whose sizes {whose} leaves open, the batch first; may be repeated",
    )


def add_task(parser):
    """Adds `--task`."""
    parser.add_argument(
        "--task",
        type=per_output(TASKS),
        action="append",
        default=[],
        metavar="[OUTPUT=]TASK",
        help=f"what an output means: {', '.join(TASKS)}; repeat it for several outputs (known of "
        "runs and of public weights)",
    )


def add_meaning(parser):
    """Adds `--task` and `--activation`."""
    add_task(parser)
    parser.add_argument(
        "--activation",
        type=per_output(ACTIVATIONS),
        action="append",
        default=[],
        metavar="[OUTPUT=]softmax|sigmoid",
        help="what the files add behind an output that is logits (default: nothing; softmax for runs and for "
        "public weights with classes)",
    )


def add_metric(parser):
    """Adds `--metric`."""
    parser.add_argument(
        "--metric",
        metavar="module:name",
        help="your own score instead of the task's: function of labels and outputs, or Keras metric",
    )


def named_metric(options):
    """Returns the object that `--metric` names, of a class an instance, or None."""
    if options.metric is None:
        return None
    import keras

    from keras_vit.importing import import_named

    metric = import_named(options.metric, "a function of labels and outputs, or a Keras metric")
    return metric() if isinstance(metric, type) and issubclass(metric, keras.metrics.Metric) else metric


def by_output(pairs):
    """Returns pairs of an output and a word as `export_model` takes them: a word, a dict, or None."""
    words = dict(pairs)
    return words[""] if set(words) == {""} else words or None


def add_import(parser):
    """Adds `--import`."""
    parser.add_argument(
        "--import",
        dest="imports",
        type=path,
        action="append",
        default=[],
        metavar="MODULE",
        help="module or .py file to import first, which registers your layers; may be repeated",
    )


def run_imports(options):
    """Imports the modules that a command was given, in their order."""
    places = getattr(options, "imports", ())
    if not places:
        return
    from keras_vit.importing import import_module

    with quiet_import():
        for place in places:
            import_module(place)
