"""Checks what an export is given, before anything is written."""

import json

import keras
import numpy as np

from keras_vit.errors import InputError, Notice, counted, listed, warn
from keras_vit.export.images.app_input import DTYPES, is_pixels
from keras_vit.export.variants import ALL_INT8, AUTO, VARIANTS
from keras_vit.keras_internals import all_layers, stateful_layers

FEWEST_CALIBRATION_ITEMS = 32  # ranges from fewer miss what the next item reaches
SAME = 1e-4  # relative to the largest value: two calls of one model differ by the order of float32 sums
LOW_PRECISION_ERROR = 0.1  # of the largest value: bfloat16 rounds by 2e-3, again in each of many layers
FEW = 8  # items on which a model is called twice


def check_input_dtype(input_dtype, variants):
    """Raises InputError for an input that TFLite files of these variants cannot have."""
    if input_dtype not in (None, *DTYPES):
        raise InputError(f"Expected an input of {' or '.join(DTYPES)}, received {input_dtype!r}.")
    wrong = [variant for variant in variants if variant not in ALL_INT8]
    if input_dtype == "int8" and wrong:
        raise InputError(
            f"Expected {listed(ALL_INT8)} with an int8 input, whose values all have fixed ranges, received "
            f"{listed(wrong)}. Export the other variants without it."
        )


def check_preparation(preparation):
    """Raises InputError for a preparation that `export.json` cannot hold."""
    try:
        json.dumps(preparation, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Expected preparation to be a dict of text, finite numbers, lists and dicts: {error}."
        ) from error


def check_model(model):
    """Raises InputError for what is no model, or one that keeps a state from call to call."""
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected a keras.Model, received {type(model).__name__}.")
    if stateful := stateful_layers(model):
        raise InputError(
            f"{model.name} keeps a state from call to call in {listed(stateful, 3)} (stateful=True), which a "
            "file cannot. Build it with stateful=False, or with the state as an input and an output."
        )


def check_no_tables(model):
    """Raises InputError for layers such as IntegerLookup, whose table is neither a weight nor an operator."""
    import tensorflow as tf

    table = tf.saved_model.experimental.TrackableResource
    found = [
        layer.name
        for layer in all_layers(model)
        if any(isinstance(value, table) for value in vars(layer).values())
    ]
    if found:
        raise InputError(
            f"{model.name} looks values up in a table in {listed(found, 3)}, which LiteRT cannot. Export the "
            "part of the model behind it, and let the app look the values up."
        )


def check_repeatable(function, arrays, outputs):
    """Raises InputError when a model answers another time differently: it keeps a state or draws numbers."""
    few = {name: array[:FEW] for name, array in arrays.items()}
    for name, again in function.predict(few).items():
        values = outputs[name][:FEW]
        if np.shape(again) != np.shape(values) or not _close(again, values):
            raise InputError(
                f"{function.name} answers the same items differently when it is called again: it keeps a "
                "state, draws random numbers, or looks at the other items of a batch. A file cannot do that. "
                "Give the state as an input and an output, or turn the randomness off."
            )


def check_rebuilt(own, outputs, name):
    """Raises InputError when a model that was built again in float32 returns something else than before.

    `own` are outputs of its own precision for the first items, `outputs` those in float32 for all.
    """
    for output, values in own.items():
        again = outputs[output][: len(values)].astype("float64")
        difference = np.sqrt(np.mean((values.astype("float64") - again) ** 2))
        if difference > LOW_PRECISION_ERROR * np.abs(again).max(initial=0):
            raise InputError(
                f"{name} was built again in float32, and then its {output!r} differs by {difference:.2g} "
                "from what it returns itself. A layer's get_config may leave an argument out. Build the "
                "model in float32 and give it these weights."
            )


def check_items(outputs, count):
    """Raises InputError when an output has not one row for each item."""
    for name, values in outputs.items():
        if len(values) != count:
            raise InputError(
                f"Expected a row of {name!r} for each of {counted(count, 'item')}, received {len(values)}."
            )


def check_label_names(label_names, expected):
    """Raises InputError unless there is one name of one line for each column of the output that they name."""
    if label_names is None:
        return
    named = [value for value in expected.values() if value.task and value.task.has_names]
    named = [value for value in named if value.values.ndim == 2]
    if len(named) != 1:
        raise InputError(
            "Expected one output with the task classification, labels or regression, a row for each item, "
            f"for label_names, received {len(named)}."
        )
    count = named[0].values.shape[-1]
    wrong = [n for n in label_names if not isinstance(n, str) or n.splitlines() not in ([], [n])]
    if wrong:
        raise InputError(f"Expected label_names to be text of one line each, received {str(wrong[0])!r}.")
    if len(label_names) != count:
        raise InputError(
            f"Expected one label per output: the model has {counted(count, 'output')}, received "
            f"{len(label_names)} labels."
        )


def warn_of_few_items(expected, max_drop):
    """Warns where one item counts more than what a file may lose, which then cannot be seen."""
    for name, value in expected.items():
        points = 100 / len(value.values)
        if value.labels is not None and value.task.name == "classification" and points > max_drop:
            warn(
                f"{name}: {counted(len(value.values), 'item')} to compare on, each {points:.2g} points of "
                f"accuracy. A loss of {max_drop:g} points is not seen with so few.",
                Notice,
            )


def warn_of_equal_outputs(outputs):
    """Warns where a model answers all items alike: so does a file that has lost everything."""
    for name, values in outputs.items():
        if len(values) > 1 and np.allclose(values, values[:1], rtol=1e-6, atol=0):  # roundings of float32
            warn(
                f"{name} is the same for all {counted(len(values), 'item')}, so that comparing files on them "
                "shows nothing. Give inputs on which the model's answers differ; untrained weights often "
                "answer all alike.",
                Notice,
            )


def check_calibration(variants, arrays):
    """Raises InputError when items for calibration are missing or too few for a variant; None for none."""
    needing = [variant for variant in variants if variant == AUTO or VARIANTS[variant].needs_calibration]
    if not needing:
        return
    count = 0 if arrays is None else len(next(iter(arrays.values())))
    if count < FEWEST_CALIBRATION_ITEMS:
        raise InputError(
            f"Expected at least {FEWEST_CALIBRATION_ITEMS} calibration items for {needing[0]}, received "
            f"{count or 'none'}. Give calibration= (--calibration), a few hundred inputs of the training "
            "data, or choose a variant that needs none, such as dynamic_int8."
        )


def check_alike(arrays, calibration):
    """Raises InputError when calibration inputs have other types or values than the inputs."""
    for name, array in arrays.items():
        other = calibration[name]
        if other.shape[1:] != array.shape[1:] or is_pixels(array) != is_pixels(other):
            raise InputError(
                f"Expected calibration items of {name!r} like the inputs, {array.dtype} {array.shape[1:]}, "
                f"received {other.dtype} {other.shape[1:]}."
            )


def _close(one, other):
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    return np.allclose(one, other, rtol=0, atol=SAME * np.abs(other).max(initial=0))


def check_one_image(arrays, attention):
    """Raises InputError where attention is asked of a model of several inputs."""
    if attention and len(arrays) != 1:
        raise InputError(f"Expected a model of one image for its attention, received {listed(arrays)}.")
