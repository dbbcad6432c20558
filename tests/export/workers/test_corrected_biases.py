"""Biases take over what rounded kernels do to the mean of an output."""

import keras
import numpy as np
import pytest

from keras_vit.export.model.function import model_function
from keras_vit.export.tflite.file_form import FileForm
from keras_vit.export.tflite.named import NamedInterpreter
from keras_vit.export.tflite.writer import TfliteWriter
from keras_vit.export.variants import VARIANTS
from keras_vit.export.workers.quantize import quantized


@pytest.mark.parametrize("variant", ["int4", pytest.param("full_int8", marks=pytest.mark.slow)])
def test_the_mean_of_an_output_is_that_of_the_float32_file(tmp_path, variant):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, "relu", bias_initializer="ones"), keras.layers.Dense(4)]
    )
    model.layers[-1].bias.assign([1.0, -1.0, 2.0, 0.5])
    function, arrays = model_function(model, np.random.default_rng(0).random((256, 64), "float32"))
    with TfliteWriter(FileForm(function), arrays, tmp_path) as writer:
        writer.write("fp32", tmp_path / "fp32")
        writer.write(variant, tmp_path / "corrected")
        content = (tmp_path / "fp32").read_bytes()
        plain = quantized(content, VARIANTS[variant].rules, writer.ranges)
    expected, error, corrected = (
        mean_of(file, arrays) for file in (content, plain, (tmp_path / "corrected").read_bytes())
    )
    assert np.abs(corrected - expected).max() < 0.5 * np.abs(error - expected).max()


def mean_of(content, arrays):
    (values,) = NamedInterpreter(content).run(arrays).values()
    return values.mean(axis=0)
