"""Writes a run's report: pictures and one page that shows them."""

import functools
from pathlib import Path

import numpy as np

from keras_vit.io.files import atomic_path
from keras_vit.layers import PatchEmbedding, PositionEmbedding, TransformerEncoder
from keras_vit.models.inspection import find_layer
from keras_vit.training.report.attention import heads_picture, rollout_picture
from keras_vit.training.report.history import read_history, training_curves
from keras_vit.training.report.page import render_page
from keras_vit.training.report.patches import components_picture, patches_picture
from keras_vit.training.report.positions import positions_picture
from keras_vit.training.report.predictions import (
    confusion_picture,
    mistakes_picture,
    reliability_diagram,
    worst_mistakes,
)
from keras_vit.training.report.style import drawing, save


def write_report(run_dir, model, data, probabilities, metrics, history_csv, recipe, place=()):
    """Writes `report/*.png` and `report/index.html` in a run folder, all or nothing.

    Pictures that do not apply are left out: patches, positions and attention of a model without them, the
    curves of a run without a history, the mistakes of a model that makes none. `probabilities` are those of
    the test images, `metrics` their `classification_metrics`, `recipe` a dict of the recipe's fields, and
    `place` are lines that put the result in its place.
    """
    history = read_history(history_csv)
    pictures = _pictures(model, data, np.asarray(probabilities), metrics, history)
    page = functools.partial(render_page, model, data, metrics, history, recipe, place)
    write_report_folder(Path(run_dir) / "report", pictures, page)


def write_report_folder(path: Path, pictures, page):
    """Writes pictures and `index.html` into a folder, all or nothing; an earlier report is replaced.

    `pictures` are pairs of a name and a figure, which may be drawn lazily; `page` is a function from the list
    of their names to HTML.
    """
    with atomic_path(path, mark="index.html") as folder:
        folder.mkdir()
        names = []
        with drawing():
            for name, canvas in pictures:
                save(canvas, folder / f"{name}.png")
                names.append(name)
        (folder / "index.html").write_text(page(names), encoding="utf-8")


def _pictures(model, data, probabilities, metrics, history):
    if history:
        yield "training_curves", training_curves(history)
    yield "confusion_matrix", confusion_picture(metrics["confusion_matrix"], data.label_names)
    yield "calibration", reliability_diagram(metrics)
    wrong = worst_mistakes(probabilities, data.test.labels)
    if len(wrong):
        names = np.array(data.test.names())[wrong]
        chosen = _chosen(data, probabilities, wrong)
        yield "worst_mistakes", mistakes_picture(*chosen, names, data.label_names)
    yield from _pictures_of_patches(model, data, probabilities)


def _pictures_of_patches(model, data, probabilities):
    embedding, positions = find_layer(model, PatchEmbedding), find_layer(model, PositionEmbedding)
    if positions is not None:
        yield "position_similarity", positions_picture(positions)
    if embedding is None:
        return
    examples = _examples(data.test.labels, 5)
    patch_size = embedding.patch_size
    yield "patches", patches_picture(data.test.images[examples[:3]], patch_size)
    if find_layer(model, TransformerEncoder) is not None:
        chosen = _chosen(data, probabilities, examples)
        yield "attention_rollout", rollout_picture(model, *chosen, data.label_names)
        yield "attention_heads", heads_picture(model, data.test.images[examples[:3]])
        yield "patch_components", components_picture(model, data.test.images[examples])


def _chosen(data, probabilities, indices):
    return data.test.images[indices], data.test.labels[indices], probabilities[indices]


def _examples(labels, count):
    """Returns the indices of the first images of `count` classes, spread evenly over all classes."""
    first = np.unique(labels, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(labels)), first)
    if len(first) < count:
        return np.concatenate([first, others[: count - len(first)]])
    return first[np.linspace(0, len(first) - 1, count).round().astype(int)]
