import warnings
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from PIL import Image

from keras_vit.layers import PositionEmbedding
from keras_vit.training.classification_metrics import classification_metrics
from keras_vit.training.report import of_classes
from keras_vit.training.report.patches import patches_picture, separated
from keras_vit.training.report.positions import position_similarity, positions_picture
from keras_vit.training.report.predictions import (
    confusion_picture,
    reliability_diagram,
    worst_mistakes,
)
from keras_vit.training.report.style import drawing, save, show_image

HOSTILE = ("$x^{2", "猫", "<script>", "a name of a class that goes on and on and on", "Übergröße")


def drawn(make, path):
    """Draws and saves a picture; a missing glyph or a layout without room is a warning and fails."""
    with drawing(), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        canvas = make()
        save(canvas, path)
    assert np.asarray(Image.open(path).convert("L")).std() > 1
    return canvas


@pytest.mark.parametrize("num_classes", [2, 5, 20, 21, 40, 41, 100])
def test_a_confusion_matrix_holds_counts_up_to_20_classes_and_names_up_to_40(tmp_path, num_classes):
    counts = np.eye(num_classes, dtype=int) * 9000
    counts[0, 1] = 3
    names = [HOSTILE[i] if i < 5 else f"class-{i}" for i in range(num_classes)]
    canvas = drawn(lambda: confusion_picture(counts, names), tmp_path / "picture.png")
    axes = canvas.axes[0]
    written = [text.get_text() for text in axes.texts]
    assert written == ([] if num_classes > 20 else ["9000", "3"] + ["9000"] * (num_classes - 1))
    named = [label.get_text() for label in axes.get_yticklabels()][0] == "$x^{2"
    assert named == (num_classes <= 40)
    assert axes.get_ylabel().startswith("True class") and axes.get_xlabel().startswith("Predicted class")


def test_a_class_without_images_is_an_empty_row(tmp_path):
    drawn(lambda: confusion_picture([[3, 0], [0, 0]], ("a", "b")), tmp_path / "picture.png")


def test_no_names_of_a_confusion_matrix_overlap(tmp_path):
    names = [f"a-long-class-name-{i}" for i in range(40)]
    canvas = drawn(lambda: confusion_picture(np.eye(40), names), tmp_path / "picture.png")
    axes = canvas.axes[0]
    canvas.canvas.draw()
    across = [label.get_window_extent().intervalx for label in axes.get_xticklabels()]
    upward = [label.get_window_extent().intervaly for label in axes.get_yticklabels()][::-1]
    for extents in (across, upward):
        assert all(a[1] <= b[0] for a, b in zip(extents, extents[1:], strict=False)), extents[:3]


def test_a_reliability_diagram_has_a_bar_for_each_filled_bin(tmp_path):
    probabilities = np.array([[0.9, 0.1], [0.45, 0.55], [0.4, 0.6], [1.0, 0.0]])
    metrics = classification_metrics(probabilities, np.array([0, 1, 0, 0]), ("a", "b"))
    canvas = drawn(lambda: reliability_diagram(metrics["calibration_bins"]), tmp_path / "picture.png")
    upper, lower = canvas.axes
    assert [bar.get_height() for bar in upper.patches] == [0.5, 1, 1]
    assert [bar.get_height() for bar in lower.patches] == [0.5, 0.25, 0.25]


def test_the_worst_mistakes_are_the_most_confident_wrong_ones():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert worst_mistakes(probabilities, np.array([1, 1, 1, 0])).tolist() == [1, 3, 0]
    assert worst_mistakes(probabilities, np.array([1, 1, 1, 0]), count=1).tolist() == [1]
    assert worst_mistakes(probabilities, np.array([0, 0, 1, 1])).tolist() == []


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 24, 3), (24, 8, 4)])
def test_mistakes_are_titled_with_both_classes_and_no_false_certainty(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype("uint8")
    probabilities = np.full((3, 5), 0.0001)
    probabilities[:, 3] = 0.9996
    labels = np.array([0, 1, 2])
    files = ["photos/a/$1_.png", "photos/b/" + "long " * 20 + ".jpg", "photos/\u732b.png"]
    test = SimpleNamespace(images=images, labels=labels, names=lambda: files)
    data = SimpleNamespace(test=test, label_names=HOSTILE, label_kind="class")
    metrics = classification_metrics(probabilities, labels, HOSTILE)

    def mistakes():
        return dict(of_classes.pictures(data, probabilities, metrics))["worst_mistakes"]

    canvas = drawn(mistakes, tmp_path / "picture.png")
    titles = [axes.get_title().split("\n") for axes in canvas.axes[:3]]
    assert titles[0][:2] == ["$1_.png", "true: $x^{2"] and titles[0][2].startswith("predicted: a name of")
    assert titles[0][-1] == "99.9 %"
    assert titles[1][0].startswith("long long") and len(titles[1][0]) <= 36
    assert titles[1][1] == "true: class 1" and titles[2][0] == "image 2"


def test_separated_patches_are_the_image_with_white_lines():
    image = np.arange(2 * 6 * 12 * 3, dtype="float32").reshape(2, 6, 12, 3) % 200
    apart = separated(image, (6, 6))
    assert apart.shape == (2, 6, 13, 3)
    np.testing.assert_array_equal(apart[:, :, :6], image[:, :, :6])
    np.testing.assert_array_equal(apart[:, :, 7:], image[:, :, 6:])
    assert (apart[:, :, 6] == 255).all()


@pytest.mark.parametrize("patch_size", [(2, 2), (8, 4), (16, 32)])
def test_patches_of_any_size_are_drawn(tmp_path, patch_size):
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 32, 1)).astype("uint8")
    drawn(lambda: patches_picture(images, patch_size), tmp_path / "picture.png")


def test_position_similarity_is_the_cosine_in_the_grid():
    embedding = np.array([[1, 0], [0, 2], [3, 3], [-1, 0], [0, 0], [1, 0]], float)
    similarity = position_similarity(embedding, (2, 3))
    assert similarity.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(
        similarity[0, 0], [[1, 0, np.sqrt(0.5)], [-1, 0, 1]], atol=1e-12
    )  # one of length 0 resembles none


@pytest.mark.parametrize("kind", ["learned", "sincos_2d"])
def test_the_class_token_is_no_position(tmp_path, kind):
    layer = PositionEmbedding((2, 3), kind=kind, num_prefix_tokens=1)
    layer.build((None, 7, 8))
    canvas = drawn(lambda: positions_picture(layer), tmp_path / "picture.png")
    mosaic = canvas.axes[0].images[0].get_array()
    assert mosaic.shape == (2 * 3 - 1, 3 * 4 - 1)
    np.testing.assert_allclose([mosaic[0, 0], mosaic[0, 5], mosaic[4, 10]], 1, atol=1e-6)


def test_of_a_large_grid_some_positions_are_shown(tmp_path):
    layer = PositionEmbedding((30, 2), kind="sincos_2d")
    layer.build((None, 60, 8))
    canvas = drawn(lambda: positions_picture(layer), tmp_path / "picture.png")
    assert canvas.axes[0].images[0].get_array().shape == (14 * 31 - 1, 2 * 3 - 1)
    assert [t.get_text() for t in canvas.axes[0].get_yticklabels()][::13] == ["1", "30"]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_any_number_of_channels_are_shown(tmp_path, channels):
    from keras_vit.training.report.style import figure

    def make():
        canvas = figure(height=1)
        show_image(canvas.subplots(), np.full((4, 4, channels), 7, "uint8"))
        return canvas

    drawn(make, tmp_path / "picture.png")


def test_the_pictures_of_a_report_leave_the_users_backend(monkeypatch):
    """Else a notebook that has drawn nothing yet shows no pictures after a training."""
    monkeypatch.setitem(matplotlib.rcParams, "backend", "svg")
    with drawing():
        pass
    assert matplotlib.rcParams["backend"] == "svg"
