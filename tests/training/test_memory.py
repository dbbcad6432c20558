"""What does not fit into memory is said before it is tried."""

import keras
import pytest

from keras_vit import models
from keras_vit.training import memory
from keras_vit.training.normalization import normalized_model

TINY = {"patch_size": 8, "hidden_dim": 64, "num_layers": 2, "num_heads": 2, "mlp_dim": 128, "num_classes": 4}


@pytest.mark.parametrize(
    ("changes", "batch", "grown"),
    [
        ({}, 8, 262e6),  # bytes by which the peak of a training grew with so many more images, measured
        ({"patch_size": 16, "hidden_dim": 192, "num_layers": 4, "num_heads": 3, "mlp_dim": 768}, 16, 342e6),
        ({"dtype": "mixed_bfloat16"}, 8, 190e6),
    ],
)
def test_the_estimate_is_within_a_third_of_what_was_measured(changes, batch, grown):
    model = models.vit(image_size=224, **{**TINY, **changes})
    found = memory.training_bytes(model, batch + 1) - memory.training_bytes(model, 1)
    assert found == pytest.approx(grown, rel=1 / 3)


def test_a_hint_says_tokens_need_and_room_where_there_is_too_little():
    model = models.vit(image_size=224, **TINY)
    hint = memory.memory_hint(model, 256, available=4e9)
    assert hint.startswith("An image of 224 x 224 makes 785 tokens: a batch of 256 needs about ")
    assert "4.0 GB are free" in hint and "\n" not in hint
    assert memory.memory_hint(model, 256, available=400e9) is None
    assert memory.memory_hint(models.cnn("3x3", image_size=8, channels=3, num_classes=2), 256, 1) is None


def test_a_transformer_inside_a_model_that_normalizes_is_seen():
    def build(**scaling):
        return models.vit(image_size=32, **TINY, **scaling)

    model = normalized_model("global_contrast", None, build)
    assert memory.training_bytes(model, 8) == pytest.approx(memory.training_bytes(build(), 8), rel=0.01)


def test_the_free_memory_is_that_of_the_machine_or_its_container(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable:    4000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    if keras.backend.backend() != "torch" and keras.distribution.list_devices("gpu"):
        pytest.skip("a GPU would train")
    assert memory.available_bytes() == 4_096_000
    (tmp_path / "memory.current").write_text("1000000\n")
    for limit, free in (("max", 4_096_000), ("3000000", 2_000_000), ("9000000000", 4_096_000)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        assert memory.available_bytes() == free
    (tmp_path / "meminfo").write_text("nothing")
    assert memory.available_bytes() is None
