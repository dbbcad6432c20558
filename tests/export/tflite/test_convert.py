import keras
import pytest
from image_functions import function_of

from keras_vit import ConditionError
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.tflite.file_form import FileForm


@keras.saving.register_keras_serializable(package="tests")
class Fft(keras.layers.Layer):
    """An operator that the TFLite runtime does not have."""

    def call(self, x):
        import tensorflow as tf

        spectrum = tf.signal.fft2d(tf.cast(x[..., 0], tf.complex64))
        return tf.reshape(tf.abs(spectrum), (-1, 64))[:, :10]


def test_a_crash_of_the_converter_is_an_error_here(model, tmp_path, instead_of_the_worker):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    instead_of_the_worker("keras_vit.export.tflite.convert", crash)
    with pytest.raises(ConditionError, match="its process was ended by SIGSEGV"):
        write_tflite(FileForm(function_of(model)), tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


def test_an_operator_that_the_phone_does_not_have_is_an_error_and_no_flex_operator(tmp_path):
    x = keras.Input((8, 8, 1))
    form = FileForm(function_of(keras.Model(x, Fft()(x))))
    with pytest.raises(ConditionError, match="not supported|failed"):
        write_tflite(form, tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


def test_a_converter_that_never_ends_is_stopped(model, tmp_path, instead_of_the_worker):
    instead_of_the_worker("keras_vit.export.tflite.convert", "import time; time.sleep(60)", time_limit=0.2)
    with pytest.raises(ConditionError, match="more than 0.2 s"):
        write_tflite(FileForm(function_of(model)), tmp_path / "m.tflite")
