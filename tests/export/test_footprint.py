import keras
import numpy as np
import pytest

from keras_vit.export.footprint import footprint
from keras_vit.models import vit


def small_vit(image_size):
    return vit("Pico/4", image_size=image_size, channels=1, num_layers=1, num_classes=3)


def test_a_reference_may_take_images_of_another_size(tmp_path):
    image = np.zeros((8, 8, 1), "uint8")
    kept = tmp_path / "reference.tflite"
    alone = footprint(small_vit(8), image, keep=kept)
    assert alone["size_bytes"] == kept.stat().st_size and "reference_latency_ms" not in alone
    larger = footprint(small_vit(32), np.zeros((32, 32, 1), "uint8"), reference=kept)
    assert larger["latency_ms"] > larger["reference_latency_ms"] > 0  # 64 patches against 4


def sequential(*layers):
    return keras.Sequential([*layers, keras.layers.Dense(2, activation="sigmoid")])


def two_inputs():
    image, count = keras.Input((4, 4, 1), name="image"), keras.Input((2,), name="count")
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(image), count])
    return keras.Model({"image": image, "count": count}, [keras.layers.Dense(1)(joined), joined])


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (sequential(keras.Input((5,))), np.zeros(5)),
        (sequential(keras.Input((6,), dtype="int32"), keras.layers.Embedding(9, 4), keras.layers.Flatten()),
         np.full(6, 8)),
        (sequential(keras.Input((7, 3)), keras.layers.Conv1D(4, 3), keras.layers.GlobalMaxPooling1D()),
         np.zeros((7, 3), "float32")),
        (two_inputs(), {"image": np.zeros((4, 4, 1), "float32"), "count": np.zeros(2, "float32")}),
    ],
)  # fmt: skip
def test_models_of_any_inputs_are_measured(tmp_path, model, example):
    kept = tmp_path / "model.tflite"
    measured = footprint(model, example, keep=kept)
    assert measured["size_bytes"] == kept.stat().st_size > 0 and measured["latency_ms"] > 0
    ratio = footprint(model, example, reference=kept)
    assert ratio["reference_latency_ms"] > 0
