"""Measures the processor time that `auto` takes for a Vision Transformer of 22 million parameters.

    python benchmarks/auto_cost.py --data-dir TFDS

A ViT-S/14 for images of 112 pixels with the outliers of `outlier_model.py` in otherwise random weights, and a
linear head that is fitted to the classes of CIFAR-10. 1,000 test images, 256 training images for calibration.
The time is that of this process and its children, user and system, from the call of `export_model` to its
return; each line has what had passed when a step began.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from outlier_model import outlier_vit

import keras_vit.layers  # noqa: F401  so that the model loads
from keras_vit.export import export_model

SIZES = {
    "image_size": 112,
    "patch_size": 14,
    "hidden_dim": 384,
    "num_layers": 12,
    "num_heads": 6,
    "mlp_dim": 1536,
}
HEAD_IMAGES, TEST_IMAGES, CALIBRATION_IMAGES = 2000, 1000, 256
RIDGE = 1e-2  # relative to the mean variance of a feature


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--model", type=Path, help="a .keras file: written if it is absent, else used")
    options = parser.parse_args()
    train, test = (
        cifar10(options.data_dir, *which) for which in (("train", HEAD_IMAGES), ("test", TEST_IMAGES))
    )
    if options.model and options.model.exists():
        model = keras.models.load_model(options.model)
    else:
        model = classifier(*train)
        if options.model:
            model.save(options.model)
    started, cpu = time.perf_counter(), cpu_seconds()

    def show(*words):
        print(
            f"{time.perf_counter() - started:7.1f} s  {cpu_seconds() - cpu:7.1f} CPU s  {': '.join(words)}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        rows = export_model(
            model,
            folder,
            inputs=test[0],
            labels=test[1],
            task="classification",
            activation="softmax",
            variants="auto",
            calibration=train[0][:CALIBRATION_IMAGES],
            progress=show,
        )
    show("done")
    for row in rows:
        print({name: row.get(name) for name in SHOWN})


SHOWN = ("variant", "kept", "latency_ms", "size", "drop", "agreement", "failure", "spared_layers")


def cpu_seconds():
    """User and system time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def cifar10(data_dir, split, count):
    """Returns uint8 images `(count, 112, 112, 3)` and their classes."""
    import tensorflow_datasets as tfds

    data = tfds.load("cifar10", split=f"{split}[:{count}]", data_dir=data_dir, download=False, batch_size=-1)
    size = (SIZES["image_size"], SIZES["image_size"])
    images = tf.image.resize(data["image"], size, method="bicubic")
    return np.clip(np.rint(images), 0, 255).astype("uint8"), data["label"].numpy()


def classifier(images, labels):
    """Returns the model, whose head is the ridge regression of the classes on the pooled tokens."""
    model = outlier_vit(channels=3, sizes=SIZES)
    head = model.get_layer("head")
    features = keras.Model(model.input, head.input).predict(
        images.astype("float32"), batch_size=32, verbose=0
    )
    mean = features.mean(axis=0)
    centered = features - mean
    covariance = centered.T @ centered / len(centered)
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    targets = np.eye(10)[labels] - 0.1
    kernel = np.linalg.solve(covariance, centered.T @ targets / len(centered)) * 10
    head.set_weights([kernel, -mean @ kernel])
    return model


if __name__ == "__main__":
    main()
