"""What an export is given that does not fit is refused in one line, before anything is written."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.export import export_model

X = np.random.default_rng(0).normal(size=(40, 5)).astype("float32")


def model(*units, activation=None):
    x = keras.Input((5,), name="x")
    outputs = [keras.layers.Dense(n, activation, name=f"out{n}")(x) for n in units]
    return keras.Model(x, outputs if len(outputs) > 1 else outputs[0])


def accuracy(labels, outputs):
    return np.mean(outputs.argmax(axis=1) == labels)


CLASSES = np.arange(40) % 3
REFUSED = {
    "no model": ({"model": 3}, "Expected a keras.Model, received int"),
    "no items": ({"inputs": X[:0]}, r"Expected items \(n, 5\) for 'x', received \(0, 5\)"),
    "another shape": ({"inputs": X[:, :4]}, r"Expected items \(n, 5\) for 'x', received \(40, 4\)"),
    "another name": ({"inputs": {"y": X}}, "Expected inputs named x, received y"),
    "too many inputs": ({"inputs": {"x": X, "y": X}}, "Expected inputs named x, received x, y"),
    "text": ({"inputs": np.array([["a"] * 5] * 4)}, "Expected numbers for 'x'"),
    "infinite": ({"inputs": np.full_like(X, np.inf)}, "Expected finite numbers"),
    "empty data set": ({"inputs": tf.data.Dataset.from_tensor_slices(X).batch(4).take(0)}, "empty data set"),
    "endless data set": ({"inputs": tf.data.Dataset.from_tensor_slices(X).batch(4).repeat()}, "take"),
    "labels alone": ({"labels": CLASSES}, "task='classification' or 'labels' or 'regression' or 'embedding'"),
    "unknown task": ({"task": "detection"}, "Unknown task 'detection'. Expected one of classification"),
    "task of another shape": ({"task": "map"}, "'map' is for classes for each pixel"),
    "fewer labels": ({"task": "classification", "labels": CLASSES[:9]}, "one label per item.*40, received 9"),
    "labels of other classes": ({"task": "classification", "labels": CLASSES + 1}, "from 0 to 2, received"),
    "labels of another shape": ({"task": "regression", "labels": CLASSES}, r"each output \(n, 3\)"),
    "equal labels": ({"task": "regression", "labels": np.ones((40, 3))}, "labels that vary"),
    "no yes or no": ({"task": "labels", "labels": np.full((40, 3), 2)}, "labels of 0 and 1"),
    "one task for two outputs": ({"model": model(3, 2), "task": "classification"}, "as a dict from outputs"),
    "labels of no output": (
        {"model": model(3, 2), "task": {"out3": "classification"}, "labels": {"y": CLASSES}},
        "Expected labels of out3, out2, received some of y",
    ),
    "metric without labels": ({"metric": accuracy}, "Expected labels for the metric"),
    "metric without direction": (
        {"metric": accuracy, "labels": CLASSES, "max_drop": 1},
        "higher_is_better=True or False for the metric accuracy",
    ),
    "metric without limit": (
        {"metric": accuracy, "labels": CLASSES, "higher_is_better": True},
        "max_drop, in the unit of the metric accuracy",
    ),
    "no metric": ({"metric": 3, "labels": CLASSES}, "Expected metric to be a function"),
    "unknown activation": ({"activation": "relu"}, "'softmax' or 'sigmoid' for out3, received 'relu'"),
    "activation twice": (
        {"model": model(3, activation="softmax"), "activation": "softmax"},
        "ends in softmax",
    ),
    "names without a task": (
        {"label_names": "abc"},
        "task classification or labels for label_names",
    ),
    "too few names": ({"task": "classification", "label_names": "ab"}, "the model has 3 outputs, received 2"),
    "bytes for numbers": ({"input_dtype": "uint8"}, "is for models of one image, given as uint8"),
    "calibration of another shape": (
        {"variants": "full_int8", "calibration": X[:, :3]},
        r"Expected items \(n, 5\) for 'x', received \(40, 3\)",
    ),
    "no calibration": ({"variants": "full_int8"}, "calibration items for full_int8, received none"),
    "unknown variant": ({"variants": "int2"}, "Unknown variant 'int2'"),
    "attention of none": ({"attention": True}, "no attention to show"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_before_anything_is_written(name, tmp_path):
    changed, message = REFUSED[name]
    given = {"model": model(3), "inputs": X, **changed}
    with pytest.raises(InputError, match=message) as error:
        export_model(given.pop("model"), tmp_path / "x", **given)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "x").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="Expected a folder at .*, found a file"):
        export_model(model(3), tmp_path / "x", inputs=X)
