import numpy as np
from matplotlib.text import Text
from PIL import Image

from keras_vit.export.verification.plot import NAME, draw, write_plot


def row(variant, latency, size, accuracy, passed=True, **more):
    return {
        "variant": variant,
        "latency_ms": latency,
        "size": size,
        "metric": "accuracy",
        "agreement": accuracy,
        "drop": 95 - 100 * accuracy,
        "batch_size": 1,
        "passed": passed,
        **more,
    }


def test_kept_and_failed_variants_differ_in_colour(tmp_path):
    rows = [
        row("fp32", 3.0, 20_000_000, 0.95),
        row("mixed_int8", 1.0, 5_000_000, 0.949, kept=True),
        row("int4", 0.9, 3_000_000, 0.8, passed=False),
        {"variant": "full_int8", "passed": False, "failure": "crashed"},
    ]
    write_plot(rows, 0.5, tmp_path / "export.png")
    pixels = np.asarray(Image.open(tmp_path / "export.png").convert("RGB")).reshape(-1, 3)
    for color in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (np.abs(pixels.astype(int) - color).max(axis=1) < 3).sum() > 20


def test_names_of_variants_that_are_alike_can_be_read():
    names = ("fp32", "fp16", "dynamic_int8", "mixed_int8", "full_int8", "int4")
    rows = [row(name, 0.28 + 0.005 * n, 180_000 + 4_000 * n, 0.958) for n, name in enumerate(names)]
    for axes in draw(rows, 2).axes:
        boxes = [Text.get_window_extent(text) for text in axes.texts if text.get_gid() == NAME]
        assert len(boxes) == len(names)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_without_any_accuracy_there_is_no_picture(tmp_path):
    write_plot([{"variant": "fp32", "passed": False, "failure": "crashed"}], 0.5, tmp_path / "export.png")
    assert not list(tmp_path.iterdir())
