"""Model Maker's column of docs/coming_from.md, run by the Python that `KERAS_VIT_MODEL_MAKER_PYTHON` names.

Model Maker takes its weights from TensorFlow Hub: a MobileNetV2 with random ones lies in Hub's cache instead.
"""

import json
import os
import subprocess

import keras
import numpy as np
import pytest
from documentation_pages import ROOT, blocks, workspace

from keras_vit.export import export_model
from keras_vit.io.images import read_image

HANDLE = "https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4"
WRITE_WEIGHTS = f"""
import hashlib, os
import tensorflow as tf

network = tf.keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg")
images = tf.keras.Input((224, 224, 3))
model = tf.keras.Model(images, network(2 * images - 1))
name = hashlib.sha1({HANDLE!r}.encode()).hexdigest()
tf.saved_model.save(model, os.path.join(os.environ["TFHUB_CACHE_DIR"], name))
"""


@pytest.mark.slow
@pytest.mark.skipif("KERAS_VIT_MODEL_MAKER_PYTHON" not in os.environ, reason="it takes another TensorFlow")
def test_model_makers_column_runs_and_its_file_has_the_metadata_of_ours(tmp_path):
    python = os.environ["KERAS_VIT_MODEL_MAKER_PYTHON"]
    environment = {**os.environ, "TFHUB_CACHE_DIR": str(tmp_path / "hub"), "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("PYTHONPATH", None)

    def runs(*command):
        done = subprocess.run([python, *command], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    (column,) = [
        block.code for block in blocks(ROOT / "docs" / "coming_from.md") if "model_maker" in block.code
    ]
    with workspace(tmp_path):
        runs("-c", WRITE_WEIGHTS)
        runs("-c", column)
        photo = next((tmp_path / "photos").rglob("*.jpg"))
        np.save("photos.npy", read_image(photo, size=(32, 32))[None])
        labels = sorted(folder.name for folder in (tmp_path / "photos").iterdir())
        inputs = keras.Input((32, 32, 3), dtype="uint8")
        outputs = keras.layers.Dense(2)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs)))
        images = np.load("photos.npy")
        export_model(
            keras.Model(inputs, outputs),
            "ours",
            inputs=images,
            task="classification",
            label_names=labels,
            variants=["fp32"],
        )
        worker = ROOT / "benchmarks" / "workers" / "mediapipe_classify.py"
        runs(worker, "photos.npy", "answers.json", "exported/model.tflite", "ours/model_fp32.tflite")
        theirs, own = json.loads((tmp_path / "answers.json").read_text())
    assert theirs["metadata"]["labels"] == own["metadata"]["labels"] == "labels.txt"
    assert theirs["metadata"]["mean"] == [0] and theirs["metadata"]["std"] == [255]
    for file in (theirs, own):
        assert sorted(name for name, _, _ in file["classes"][0]) == labels
