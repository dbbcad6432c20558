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


class Raising(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise OSError("no such disk")


def raising_dataset():
    def items():
        raise OSError("no such disk")
        yield X

    return tf.data.Dataset.from_generator(items, output_signature=tf.TensorSpec((None, 5)))


CLASSES = np.arange(40) % 3
WITH_NAN = np.where(np.arange(120).reshape(40, 3) == 7, np.nan, np.arange(120).reshape(40, 3))
MEASURED = {"labels": CLASSES, "higher_is_better": True, "max_drop": 1}
METRICS = [
    (np.ones(3), "cannot be computed: TypeError: one number is needed, it returned 3"),
    (None, "cannot be computed: TypeError"),
    ("good", "cannot be computed: ValueError: could not convert string"),
    (float("nan"), "finite number for the model's own outputs, received nan"),
]
REFUSED = {
    "no model": ({"model": 3}, "Expected model to be keras.Model, received 3"),
    "an unknown argument": ({"variant": "fp32"}, "does not accept 'variant'; did you mean 'variants'"),
    "no items": ({"inputs": X[:0]}, r"Expected items \(n, 5\) for 'x', received \(0, 5\)"),
    "another shape": ({"inputs": X[:, :4]}, r"Expected items \(n, 5\) for 'x', received \(40, 4\)"),
    "another name": ({"inputs": {"y": X}}, "Expected inputs named x, received y"),
    "too many inputs": ({"inputs": {"x": X, "y": X}}, "Expected inputs named x, received x, y"),
    "text": ({"inputs": np.array([["a"] * 5] * 4)}, "Expected numbers for 'x'"),
    "infinite": ({"inputs": np.full_like(X, np.inf)}, "Expected finite numbers"),
    "empty data set": ({"inputs": tf.data.Dataset.from_tensor_slices(X).batch(4).take(0)}, "empty data set"),
    "endless data set": ({"inputs": tf.data.Dataset.from_tensor_slices(X).batch(4).repeat()}, "take"),
    "a data set that raises": ({"inputs": Raising()}, "The data set raised OSError: no such disk"),
    "a generator that raises": (
        {"inputs": raising_dataset()},
        "The data set raised UnknownError: OSError: no",
    ),
    "labels alone": ({"labels": CLASSES}, "task='classification' or 'labels' or 'regression' or 'embedding'"),
    "unknown task": ({"task": "detection"}, "Unknown task 'detection'. Expected one of classification"),
    "task of another shape": ({"task": "map"}, "'map' is for classes for each pixel"),
    "fewer labels": ({"task": "classification", "labels": CLASSES[:9]}, "one label per item.*40, received 9"),
    "labels of other classes": ({"task": "classification", "labels": CLASSES + 1}, "from 0 to 2, received"),
    "labels of another shape": ({"task": "regression", "labels": CLASSES}, r"each output \(n, 3\)"),
    "equal labels": ({"task": "regression", "labels": np.ones((40, 3))}, "labels that vary"),
    "no labels": ({"task": "classification", "labels": []}, r"labels of the items, received labels \(0,\)"),
    "uneven labels": ({"task": "classification", "labels": [[1], [1, 2]]}, "labels to be an array"),
    "a label of NaN": ({"task": "regression", "labels": WITH_NAN}, "finite labels, received NaN"),
    "groups of one": ({"task": "embedding", "labels": np.arange(40)}, "received a different one for each"),
    "one group": ({"task": "embedding", "labels": np.ones(40)}, "some items share and others do not"),
    "a list of tasks": ({"task": ["classification"]}, "task to be str or dict or none"),
    "a list as a task": ({"task": {"out3": ["map"]}}, r"task\['out3'\] to be str, received \['map'\]"),
    "no yes or no": ({"task": "labels", "labels": np.full((40, 3), 2)}, "labels of 0 and 1"),
    "one task for two outputs": ({"model": model(3, 2), "task": "classification"}, "a task for each of"),
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
    **{
        f"a metric that is {value!r}": ({"metric": lambda y, x, v=value: v, **MEASURED}, message)
        for value, message in METRICS
    },
    "a metric that raises": ({"metric": lambda y, x: {}[0], **MEASURED}, "cannot be computed: KeyError: 0"),
    "empty labels of a metric": ({"metric": accuracy, **MEASURED, "labels": {}}, "labels for the metric"),
    "one label of a metric": (
        {"metric": accuracy, **MEASURED, "labels": 3},
        "one label per item.* received 3",
    ),
    "direction in words": ({"metric": accuracy, **MEASURED, "higher_is_better": "no"}, "to be bool or none"),
    "negative drop": ({"max_drop": -1}, "max_drop of at least 0, received -1"),
    "NaN as drop": ({"max_drop": float("nan")}, "max_drop of at least 0, received nan"),
    "infinite drop": ({"max_drop": float("inf")}, "max_drop of at least 0, received inf"),
    "text as drop": ({"max_drop": "0.5"}, "max_drop to be float or none, received '0.5'"),
    "no metric": ({"metric": 3, "labels": CLASSES}, "Expected metric to be a function"),
    "unknown activation": ({"activation": "relu"}, "'softmax' or 'sigmoid' for out3, received 'relu'"),
    "activation twice": (
        {"model": model(3, activation="softmax"), "activation": "softmax"},
        "ends in softmax",
    ),
    "names without a task": (
        {"label_names": ["a", "b", "c"]},
        "task classification, labels or regression",
    ),
    "text as names": ({"task": "classification", "label_names": "abc"}, "label_names to be a list or tuple"),
    "numbers as names": ({"task": "classification", "label_names": [1, 2, 3]}, r"label_names\[0\] to be str"),
    "names of two lines": (
        {"task": "classification", "label_names": np.array(["a", "b\u2028c", "d"])},
        "label_names to be text of one line each, received 'b",
    ),
    "too few names": (
        {"task": "classification", "label_names": ["a", "b"]},
        "the model has 3 outputs, received 2",
    ),
    "bytes for numbers": ({"input_dtype": "uint8"}, "is for models of one image, given as uint8"),
    "calibration of another shape": (
        {"variants": "full_int8", "calibration": X[:, :3]},
        r"Expected items \(n, 5\) for 'x', received \(40, 3\)",
    ),
    "no calibration": ({"variants": "full_int8"}, "calibration items for full_int8, received none"),
    "empty calibration": ({"variants": "full_int8", "calibration": X[:0]}, r"'x', received \(0, 5\)"),
    "no variants": ({"variants": []}, "Expected variants, auto or some of .*; received none"),
    "a number as variants": ({"variants": 3}, "variants to be str or a list or tuple, received 3"),
    "a list of lists": ({"variants": [["fp32"]]}, r"variants\[0\] to be str"),
    "true for training": ({"int8_training": True}, "int8_training to be Int8Training or none"),
    "half a batch": ({"batch_size": 1.5}, "batch_size to be int, received 1.5"),
    "an empty batch": ({"batch_size": 0}, "batch_size of at least 1, received 0"),
    "a preparation that is no JSON": ({"preparation": {"scale": np.float32(2)}}, "float32 is not JSON"),
    "a preparation of NaN": ({"preparation": {"scale": float("nan")}}, "finite numbers, lists and dicts"),
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


def test_a_table_in_the_model_is_refused(tmp_path):
    x = keras.Input((3,), dtype="int64", name="code of the part")
    y = keras.layers.Embedding(4, 2)(keras.layers.IntegerLookup(vocabulary=[3, 5, 9], name="code")(x))
    given = {"code of the part": np.arange(24).reshape(8, 3)}
    with pytest.raises(InputError, match="looks values up in a table in code, which LiteRT cannot"):
        export_model(keras.Model(x, y), tmp_path / "x", inputs=given)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("out", ["", "a\0b"])
def test_a_folder_needs_a_name(out):
    with pytest.raises(InputError, match="the path of a folder"):
        export_model(model(3), out, inputs=X)


class Returning(keras.Model):
    """Returns what a function makes of the input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    ("function", "received"),
    [
        (lambda x: None, "NoneType"),
        (lambda x: [x, "text"], "str"),
        (tf.RaggedTensor.from_tensor, "RaggedTensor"),
        (tf.sparse.from_dense, "SparseTensor"),
        (lambda x: tf.complex(x, x), "complex64"),
        (tf.strings.as_string, "string"),
    ],
)
def test_a_model_that_returns_no_dense_numbers_is_refused(tmp_path, function, received):
    with pytest.raises(InputError, match=received):
        export_model(Returning(function), tmp_path / "x", inputs=X)
    assert not (tmp_path / "x").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="Expected a folder at .*, found a file"):
        export_model(model(3), tmp_path / "x", inputs=X)


def test_an_export_that_is_interrupted_leaves_no_folder_behind(tmp_path):
    images = keras.Input((4,))
    steps = []

    def interrupt(part, what):
        steps.append((part, what))
        if what == "converting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_model(
            keras.Model(images, keras.layers.Dense(2)(images)),
            tmp_path / "new" / "out",
            inputs=np.ones((3, 4), "float32"),
            variants="fp32",
            progress=interrupt,
        )
    assert steps == [("the model", "computing its own answers"), ("fp32", "converting")]
    assert not (tmp_path / "new").exists()
