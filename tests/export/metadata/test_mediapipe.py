"""MediaPipe Tasks' own ImageClassifier loads each exported file and answers as the Interpreter does.

It runs where mediapipe is: here, or in the environment whose Python `KERAS_VIT_MOBILE_PYTHON` names.
"""

import functools
import json
import os
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vit.export import export_model
from keras_vit.export.metadata.tables import Card
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.export.variants import FILES
from keras_vit.io.images import read_image
from keras_vit.models import levit, repvit, vit

ROOT = Path(__file__).parents[3]
WORKER = ROOT / "benchmarks" / "workers" / "mediapipe_classify.py"
SHARED = Path(os.environ.get("KERAS_VIT_SHARED_DATA", ROOT.parent / "shared" / "data"))
PHOTOS = SHARED / "photos"
NAMES = ("ant", "bee", "cat", "dog", "eel")
CARD = Card("small", "trained on nothing", author="somebody", license="Apache-2.0")
MODELS = {
    "vit": functools.partial(vit, "Pico/4", num_layers=1),
    "levit": functools.partial(levit, "Pico"),
    "repvit": functools.partial(repvit, "Pico"),
}
ALL = tuple(variant for variant in FILES if variant != "savedmodel")


@pytest.fixture(scope="module")
def photos():
    """The photographs at the model's size: MediaPipe stretches without antialiasing, we with it."""
    files = sorted(file for file in PHOTOS.glob("*") if file.suffix in (".jpg", ".png"))
    if not files:
        pytest.skip(f"there are no photographs in {PHOTOS}")
    return np.stack([read_image(file, size=(32, 40)) for file in files])


def model(name, images):
    """Its answers differ from photograph to photograph, as a trained one's do."""
    keras.utils.set_random_seed(1)
    built = MODELS[name](image_size=(32, 40), channels=images.shape[-1], num_classes=len(NAMES))
    head = built.get_layer("head")
    head.kernel.assign(keras.random.normal(head.kernel.shape))
    head.bias.assign(-built.predict(images, verbose=0).mean(axis=0))
    return built


@pytest.mark.parametrize(
    ("name", "channels", "dtype", "variants"),
    [
        ("vit", 1, "uint8", ("fp32",)),
        pytest.param("vit", 3, "float32", ALL, marks=pytest.mark.slow),
        pytest.param("vit", 3, "uint8", ALL, marks=pytest.mark.slow),
        pytest.param("vit", 1, "float32", ALL, marks=pytest.mark.slow),
        pytest.param("levit", 3, "uint8", ALL, marks=pytest.mark.slow),
        pytest.param("repvit", 3, "uint8", ALL, marks=pytest.mark.slow),
    ],
)
def test_classes_and_scores_are_those_of_the_interpreter(
    name, channels, dtype, variants, mediapipe_python, photos, tmp_path
):
    grey = photos.mean(axis=-1, keepdims=True).astype("uint8")
    images = np.tile(photos if channels == 3 else grey, (4, 1, 1, 1))
    export_model(
        model(name, images),
        tmp_path,
        inputs=images,
        labels=np.zeros(len(images), int),
        label_names=NAMES,
        variants=variants,
        max_drop=100,
        calibration=images,
        input_dtype=dtype,
        card=CARD,
        task="classification",
        activation="softmax",
    )
    np.save(tmp_path / "photos.npy", photos)
    files = [tmp_path / FILES[variant] for variant in variants]
    out = tmp_path / "out.json"
    subprocess.run([mediapipe_python, WORKER, tmp_path / "photos.npy", out, *files], check=True)
    for file, answer in zip(files, json.loads(out.read_text()), strict=True):
        assert answer["metadata"] == {
            "name": "small",
            "description": "trained on nothing",
            "author": "somebody",
            "license": "Apache-2.0",
            "mean": [0.0],
            "std": [1.0],
            "labels": "labels.txt",
        }
        expected = tflite_predictor(file).probabilities(photos)
        assert len(set(expected.argmax(axis=1))) > 1  # else any file would do
        for probabilities, found in zip(expected, answer["classes"], strict=True):
            indices = [index for _, index, _ in found]
            assert indices[0] == probabilities.argmax() and sorted(indices) == list(range(len(NAMES)))
            assert [label for label, _, _ in found] == [NAMES[index] for index in indices]
            # The same file and the same pixels; only the runtimes' versions differ. Scores of 16 bits are
            # multiples of 2**-15, and the kernels of two versions round them up to two steps apart.
            atol = 2**-14 if file.name == FILES["int16x8"] else 1e-5
            np.testing.assert_allclose([score for _, _, score in found], probabilities[indices], atol=atol)
