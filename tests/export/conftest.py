"""A small Vision Transformer trained on real digits for some seconds, shared by the tests of export."""

import importlib.util
import os
import sys

import keras
import numpy as np
import pytest
from image_functions import function_of
from sklearn.datasets import load_digits

from keras_vit.export.tflite.file_form import FileForm
from keras_vit.export.workers.runner import run_writer
from keras_vit.models import vit


@pytest.fixture(scope="session")
def mediapipe_python():
    """The Python that has mediapipe: this one, or that which `KERAS_VIT_MOBILE_PYTHON` names."""
    if "KERAS_VIT_MOBILE_PYTHON" in os.environ:
        return os.environ["KERAS_VIT_MOBILE_PYTHON"]
    if importlib.util.find_spec("mediapipe") is None:
        pytest.skip("mediapipe is not installed, and KERAS_VIT_MOBILE_PYTHON names no Python that has it")
    return sys.executable


@pytest.fixture(scope="session")
def digits():
    data = load_digits()
    images = np.rint(data.images[..., None] * (255 / 16)).astype("uint8")
    return images, data.target.astype("int32")


@pytest.fixture(scope="session")
def model(digits):
    images, labels = digits
    keras.utils.set_random_seed(0)
    model = vit("Pico/2", num_layers=2, channels=1, num_classes=10, pooling="gap", stem="conv")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(3e-3), loss)
    model.fit(images[300:].astype("float32"), labels[300:], batch_size=64, epochs=4, verbose=0)
    return model


@pytest.fixture(scope="session")
def held_out(digits):
    return digits[0][:300], digits[1][:300]


@pytest.fixture(scope="session")
def names():
    return tuple(f"digit {n}" for n in range(10))


def form_of_photos(model, **options):
    return FileForm(function_of(model), input_dtype="float32", rgb=True, **options)


@pytest.fixture(scope="session")
def photo_form():
    """A function from a model of logits to what its files for photos compute."""
    return form_of_photos


@pytest.fixture(scope="session")
def probabilities_of():
    """A function from a model of logits and images to probabilities, by Keras alone."""

    def predict(model, images):
        return keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(images, verbose=0)))

    return predict


@pytest.fixture
def worker_program(tmp_path_factory):
    """A function from a line of code to a program for `run_worker`, which runs that line."""

    def write(line):
        path = tmp_path_factory.mktemp("program") / "program.py"
        path.write_text(f"def run(**job):\n    {line}\n")
        return str(path.with_suffix(""))

    return write


@pytest.fixture
def instead_of_the_worker(worker_program, monkeypatch):
    """A function that lets a module run another program in place of each that writes a file."""

    def replace(module, line, **limits):
        program = worker_program(line)
        monkeypatch.setattr(f"{module}.run_writer", lambda _, **job: run_writer(program, **limits, **job))

    return replace
