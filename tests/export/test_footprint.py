import numpy as np

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
