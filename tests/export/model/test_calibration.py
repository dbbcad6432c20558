"""Calibrated logits: by layers of the model, and in each file, as NumPy computes them."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from keras_vit.export import export_model, load_predictor
from keras_vit.export.model.calibration import calibrated
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.io.output_meaning import calibrated as by_numpy

TEMPERATURE, SHARPENING = 1.6, 0.15
TAIL = ["RESHAPE", "MAX_POOL_2D", "MUL", "ADD", "RESHAPE", "MUL", "SOFTMAX"]


@pytest.fixture
def own_model(model):
    """The model with weights of its own: those of a last dense layer are changed."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def behind_other_layers(model):
    return keras.Model(model.inputs, keras.layers.Rescaling(1.0, 0.5)(model.outputs[0]))


@pytest.mark.parametrize("ending", [lambda model: model, behind_other_layers])
@pytest.mark.parametrize("sharpening", [0.0, SHARPENING])
def test_layers_compute_what_numpy_does(own_model, held_out, ending, sharpening):
    model = ending(own_model)
    expected = by_numpy(model.predict(held_out[0], verbose=0), TEMPERATURE, sharpening)
    found = calibrated(model, TEMPERATURE, sharpening).predict(held_out[0], verbose=0)
    np.testing.assert_allclose(softmax(found, 1), softmax(expected, 1), atol=1e-5)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(expected))


def test_a_model_that_needs_no_calibration_is_the_same(own_model):
    assert calibrated(own_model, 1.0) is own_model


def test_files_answer_calibrated_probabilities(own_model, digits, held_out, tmp_path):
    images, expected = held_out[0], calibrated_probabilities(own_model, held_out)
    rows = exported(own_model, digits, held_out, tmp_path, ["savedmodel", "fp32", "full_int8"], max_drop=1)
    for row in rows:
        found = load_predictor(tmp_path / row["file"]).probabilities(images)
        if row["variant"] == "full_int8":
            error = np.square(found - expected).mean() / np.var(expected)
            assert error == pytest.approx(row["output_error"] ** 2, rel=0.01)
            assert len(np.unique(found)) > 256  # of int8 scores, from 0 to 255 of 256, there are 256
        else:
            np.testing.assert_allclose(found, expected, atol=1e-5)
    assert all("INT8" not in operator.types for operator in tail(tmp_path))


def test_the_calibration_of_a_file_that_takes_int8_is_int8(own_model, digits, held_out, tmp_path):
    images, expected = held_out[0], calibrated_probabilities(own_model, held_out)
    options = {"max_drop": 5, "input_dtype": "int8", "none_below": 0.9999}
    exported(own_model, digits, held_out, tmp_path, ["full_int8"], **options)
    assert all(operator.types - {"INT32"} == {"INT8"} for operator in tail(tmp_path))  # sizes of reshapes
    predictor = load_predictor(tmp_path / "model_full_int8.tflite")
    found = predictor.probabilities(images)
    assert 0.99 < predictor.description.classified.none_below < found.max() < 1  # it can be reached
    assert np.mean(found.argmax(1) == expected.argmax(1)) > 0.95


def calibrated_probabilities(model, held_out):
    return softmax(by_numpy(model.predict(held_out[0], verbose=0), TEMPERATURE, SHARPENING), 1)


def exported(model, digits, held_out, folder, variants, **options):
    return export_model(
        calibrated(model, TEMPERATURE, SHARPENING),
        folder,
        inputs=held_out[0],
        labels=held_out[1],
        task="classification",
        activation="softmax",
        variants=variants,
        calibration=digits[0][300:],
        **options,
    )


def tail(folder):
    """The operators of a full_int8 file that follow on its dense layers."""
    found = operators(read_graph((folder / "model_full_int8.tflite").read_bytes()))[-len(TAIL) :]
    assert [operator.kind for operator in found] == TAIL
    return found
