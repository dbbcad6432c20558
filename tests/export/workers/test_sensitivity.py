"""The figures of each layer, against the error of a real quantized file."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_vit.export.model.function import model_function
from keras_vit.export.tflite.file_form import FileForm
from keras_vit.export.tflite.writer import TfliteWriter

layers = keras.layers
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 6, 6, 3)).astype("uint8")


def writer_of(model, folder):
    function, arrays = model_function(model, IMAGES.astype("float32"))
    return TfliteWriter(FileForm(function), arrays, folder)


def answers(path):
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (inside,), (outside,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for image in IMAGES.astype("float32"):
        interpreter.set_tensor(inside["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(outside["index"])[0])
    return np.stack(found)


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        ("dense", "dynamic_int8"),
        pytest.param("convolution", "full_int8", marks=pytest.mark.slow),
        pytest.param("convolution", "dynamic_int8", marks=pytest.mark.slow),
        pytest.param("dense", "full_int8", marks=pytest.mark.slow),
        pytest.param("dense", "int4", marks=pytest.mark.slow),
        pytest.param("convolution", "int4", marks=pytest.mark.slow),
    ],
)
def test_the_error_of_a_single_layer_is_that_of_its_file(kind, variant, tmp_path):
    stack = {
        "dense": [layers.Flatten(), layers.Dense(12)],
        "convolution": [layers.Conv2D(12, 6), layers.Flatten()],
    }[kind]
    model = keras.Sequential([keras.Input((6, 6, 3)), *stack])
    with writer_of(model, tmp_path) as writer:
        rows = writer.sensitivity(variant)
        writer.write("fp32", tmp_path / "fp32.tflite")
        writer.write(variant, tmp_path / "quantized.tflite")
    expected = answers(tmp_path / "fp32.tflite")
    noise = np.square(answers(tmp_path / "quantized.tflite") - expected).mean(axis=0)
    # The kernel is rounded alike, the input differs by ties and sums by their order. Reshapes come after.
    assert rows[0]["error"] == pytest.approx(np.mean(noise / expected.var(axis=0)), rel=0.3)


@pytest.mark.slow
def test_one_channel_of_large_values_does_not_hide_the_others(tmp_path):
    """The static range of a channel a thousand times the others rounds those to nothing."""
    model = keras.Sequential([keras.Input((6, 6, 3)), layers.Flatten(), layers.Dense(12, name="dense")])
    kernel, bias = model.get_layer("dense").get_weights()
    kernel[:, 0] *= 1000
    model.get_layer("dense").set_weights([kernel, bias])
    with writer_of(model, tmp_path) as writer:
        static, dynamic = (writer.sensitivity(variant)[0] for variant in ("full_int8", "dynamic_int8"))
    assert static["error"] > 0.1 > 100 * dynamic["error"]
    assert [rule[:2] for rule in static["spared"]] == [["*", 0], ["FULLY_CONNECTED", 8]]
