"""Metadata in a file changes none of its answers."""

import dataclasses
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.export import export_model, load_predictor
from keras_vit.export.metadata.attach import LABELS, attach
from keras_vit.export.metadata.tables import Card
from keras_vit.export.model.description import NAME
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.export.tflite.archive import attach_files, attached_file
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.tflite.graph import read_graph
from keras_vit.models import cnn


@pytest.fixture
def plain(tmp_path):
    weights = tf.constant(np.random.default_rng(0).normal(size=(48, 3)), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, 4, 4, 3), tf.float32)])
    def serve(x):
        return tf.nn.softmax(tf.reshape(x / 255, (1, 48)) @ weights)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()])
    path = tmp_path / "m.tflite"
    path.write_bytes(converter.convert())
    return path


def described(path, names):
    """The description of a file of photos."""
    seen = tflite_predictor(path).description
    inputs = tuple(dataclasses.replace(tensor, pixels=True) for tensor in seen.inputs)
    return dataclasses.replace(seen, inputs=inputs, label_names=tuple(names))


IMAGES = np.random.default_rng(1).integers(0, 256, (5, 4, 4, 3)).astype("uint8")


def test_a_file_with_metadata_has_the_same_outputs_and_contains_its_labels(plain):
    before = tflite_predictor(plain).probabilities(IMAGES)
    attach(plain, Card("three"), described(plain, ["Ä", "b", "c c"]))
    after = load_predictor(plain)
    np.testing.assert_array_equal(after.probabilities(IMAGES), before)
    assert after.label_names == ("Ä", "b", "c c")
    assert attached_file(plain, LABELS).decode() == "Ä\nb\nc c\n"


@pytest.mark.parametrize(
    ("channels", "text"), [pytest.param(3, b"RGB, each", marks=pytest.mark.slow), (4, b"4 channels, each")]
)
def test_only_the_metadata_of_a_file_of_three_channels_mention_rgb(channels, text, photo_form, tmp_path):
    model = cnn("3x3", image_size=8, channels=channels, num_classes=3, hidden_dim=8)
    write_tflite(photo_form(model), tmp_path / "m.tflite")
    attach(tmp_path / "m.tflite", Card("m"), described(tmp_path / "m.tflite", "abc"))
    content = bytes(read_graph((tmp_path / "m.tflite").read_bytes()).buffers[-1].data)
    assert text in content


def test_the_same_model_gives_the_same_bytes(plain):
    content, results = plain.read_bytes(), []
    for _ in range(2):
        plain.write_bytes(content)
        attach(plain, Card("three"), described(plain, "abc"))
        results.append(plain.read_bytes())
    assert results[0] == results[1]


def test_labels_are_stored_uncompressed_after_the_model(plain):
    attach(plain, Card("three"), described(plain, "abc"))
    with zipfile.ZipFile(plain) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["model.json", "labels.txt"]
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert b"a\nb\nc\n" in plain.read_bytes()


def test_a_file_without_labels_has_none_and_too_few_are_refused(plain):
    assert attached_file(plain, LABELS) is None
    attach(plain, Card("three"), described(plain, "ab"))
    with pytest.raises(InputError, match="3 classes, the labels next to it are 2"):
        tflite_predictor(plain)


@pytest.mark.parametrize(
    ("decided", "message"),
    [
        ({"none_below": "half"}, "describes no model"),
        ({"thresholds": (0.5, "half", 0.5)}, "describes no model"),
        ({"thresholds": (0.5,)}, r"one threshold per label: .* is \(3,\), .* are 1"),
    ],
)
def test_what_cannot_decide_an_answer_is_refused(decided, message, plain):
    known = described(plain, "abc")
    (output,) = known.outputs
    changed = dataclasses.replace(known, outputs=(dataclasses.replace(output, **decided),))
    attach_files(plain, {NAME: changed.to_bytes()})
    with pytest.raises(InputError, match=message):
        tflite_predictor(plain)


@pytest.mark.parametrize("least", [float("nan"), float("inf")])
def test_a_probability_that_is_no_number_is_refused_before_any_file(least, tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    known = {"task": "classification", "activation": "softmax", "none_below": least}
    with pytest.raises(InputError, match="none_below as a finite number"):
        export_model(model, tmp_path / "out", inputs=IMAGES[:, :4, :4], **known)
    assert not (tmp_path / "out").exists()


def test_an_input_that_no_app_gives_is_refused(tmp_path):
    with pytest.raises(InputError, match="float32 or uint8 or int8, received 'int4'"):
        export_model(keras.Model(), tmp_path, inputs=IMAGES, input_dtype="int4")
