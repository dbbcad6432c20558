import re
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from PIL import Image

import keras_vit.training.report.write as write_module
from keras_vit.errors import InputError
from keras_vit.models import vit
from keras_vit.training.classification_metrics import classification_metrics
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.report import write_report

NAMES = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "猫", "a & b", "plain", "</table>")
HISTORY = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,2,0.1,2,0.2,0.001,100\n"
RECIPE = {"data": "folder:<b>bold</b>", "variant": None, "epochs": 1}
PLAIN = {"training_curves", "confusion_matrix", "calibration", "worst_mistakes", "doubtful_labels"}
OF_PATCHES = {"patches", "attention_rollout", "attention_heads", "patch_components"}


def image_data(num_images=24, channels=3):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (num_images, 8, 8, channels)).astype("uint8")
    split = Split(images, (np.arange(num_images) % len(NAMES)).astype("int32"))
    return ImageData("<i>data</i>", split, split, split, NAMES)


def certain(labels):
    return np.eye(len(NAMES))[labels]


def random_probabilities(num_images=24):
    return np.random.default_rng(1).dirichlet(np.ones(len(NAMES)), num_images)


def small_vit(**options):
    return vit("Pico/2", num_layers=2, image_size=8, num_classes=len(NAMES), **options)


def dense():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(len(NAMES))])


def report(run_dir, model, data=None, probabilities=None):
    data = data or image_data()
    probabilities = random_probabilities() if probabilities is None else probabilities
    metrics = classification_metrics(probabilities, data.test.labels, data.label_names)
    history = run_dir / "history.csv"
    write_report(run_dir, model, data, probabilities, metrics, history, RECIPE)
    return {path.stem for path in (run_dir / "report").glob("*.png")}


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "history.csv").write_text(HISTORY)
    return tmp_path


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A run folder with a Vision Transformer's report, only to be read."""
    run_dir = tmp_path_factory.mktemp("run")
    (run_dir / "history.csv").write_text(HISTORY)
    report(run_dir, small_vit())
    return run_dir


class Page(HTMLParser):
    """Collects a page's tags and words."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(
    ("options", "positions"),
    [
        ({}, {"position_similarity"}),
        pytest.param({"pooling": "gap", "num_registers": 2}, {"position_similarity"}, marks=pytest.mark.slow),
        pytest.param({"pooling": "map", "position_embedding": "none"}, set(), marks=pytest.mark.slow),
        pytest.param(
            {"pooling": "gap", "stem": "conv", "position_embedding": "sincos_2d"},
            {"position_similarity"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_vision_transformer_has_every_picture_that_applies(run_dir, options, positions):
    assert report(run_dir, small_vit(**options)) == PLAIN | OF_PATCHES | positions


def test_a_model_without_patches_has_neither_pictures_nor_text_about_them(run_dir):
    assert report(run_dir, dense()) == PLAIN
    text = (run_dir / "report/index.html").read_text()
    assert not re.search("attention|position|patch", text, re.IGNORECASE)


def test_a_run_without_history_or_mistakes_has_a_shorter_report(tmp_path):
    data = image_data(channels=1)
    names = report(tmp_path, small_vit(channels=1), data, certain(data.test.labels))
    assert names == {"confusion_matrix", "calibration", "position_similarity"} | OF_PATCHES
    text = (tmp_path / "report/index.html").read_text()
    assert "No test image is misclassified." in text and "Training time" not in text


def test_the_page_puts_the_result_in_its_place(run_dir):
    data, model = image_data(), dense()
    metrics = classification_metrics(random_probabilities(), data.test.labels, data.label_names)
    place = ["accuracy on more such images: <x>", "hint: no better"]
    write_report(
        run_dir, model, data, random_probabilities(), metrics, run_dir / "history.csv", RECIPE, place
    )
    text = (run_dir / "report/index.html").read_text()
    assert "Accuracy on more such images: &lt;x&gt;." in text and "Hint: no better." in text


def test_text_from_the_data_is_escaped(written):
    page = Page(written / "report/index.html")
    assert not page.named("script") and not page.named("i") and not page.named("b")
    assert all("onerror" not in image for image in page.named("img"))
    words = "".join(page.words)
    assert all(name in words for name in NAMES)
    assert "<i>data</i>" in words and "folder:<b>bold</b>" in words
    assert len(page.named("table")) == 2


def test_the_page_is_self_contained_and_shows_every_picture(written):
    page = Page(written / "report/index.html")
    images = page.named("img")
    assert {image["src"] for image in images} == {path.name for path in written.glob("report/*.png")}
    assert all(len(image["alt"]) > 20 for image in images)
    assert not page.named("link") and "http" not in (written / "report/index.html").read_text()
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")
    for image in images:
        Image.open(written / "report" / image["src"]).verify()


def test_the_page_contains_the_metrics(run_dir):
    data = image_data()
    probabilities = certain(data.test.labels)
    probabilities[0] = certain(1)
    report(run_dir, model := dense(), data, probabilities)
    words = Page(run_dir / "report/index.html").words
    for figure in ("95.83 %", f"{model.count_params():,}", "1 min 40 s", "0.0417", "Fields by default"):
        assert figure in words


def test_a_report_that_fails_leaves_the_old_one(run_dir, monkeypatch):
    report(run_dir, dense())
    old = (run_dir / "report/index.html").read_bytes()
    monkeypatch.setattr(write_module, "render_page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report(run_dir, dense())
    assert (run_dir / "report/index.html").read_bytes() == old
    assert sorted(path.name for path in run_dir.iterdir()) == ["history.csv", "report"]


@pytest.mark.slow
def test_a_second_report_replaces_the_first(run_dir):
    report(run_dir, small_vit())
    assert report(run_dir, dense()) == PLAIN


def test_a_broken_history_writes_nothing(run_dir):
    (run_dir / "history.csv").write_text("no,history\n1,2\n")
    with pytest.raises(InputError, match="history.csv"):
        report(run_dir, small_vit())
    assert not (run_dir / "report").exists()
