"""Writes a run's report: pictures and one page that shows them."""

import functools
from pathlib import Path

import numpy as np

from keras_vit.io.files import atomic_path
from keras_vit.layers import PatchEmbedding, PositionEmbedding
from keras_vit.models.inspection import find_layer
from keras_vit.models.rollout import has_attention
from keras_vit.training.data.label_kinds import strata
from keras_vit.training.report.attention import heads_picture, rollout_picture
from keras_vit.training.report.history import read_history, training_curves
from keras_vit.training.report.kinds import KINDS
from keras_vit.training.report.page import render_page
from keras_vit.training.report.patches import components_picture, patches_picture
from keras_vit.training.report.positions import positions_picture
from keras_vit.training.report.style import drawing, save


def write_report(run_dir, model, data, answers, metrics, history_csv, recipe, place=()):
    """Writes `report/*.png` and `report/index.html` in a run folder, all or nothing.

    Pictures that do not apply are left out: patches, positions and attention of a model without them, the
    curves of a run without a history, the mistakes of a model that makes none. `answers` are those for
    the test images, such as probabilities, `metrics` what `evaluate` returned, `recipe` a dict of the
    recipe's fields, and `place` are lines that put the result in its place.
    """
    history = read_history(history_csv)
    pictures = _pictures(model, data, np.asarray(answers), metrics, history)
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


def _pictures(model, data, answers, metrics, history):
    kind = KINDS[data.label_kind]
    if history:
        yield "training_curves", training_curves(history, kind.CURVE, kind.LOSS)
    yield from kind.pictures(data, answers, metrics)
    yield from _pictures_of_patches(model, data, answers, metrics)


def _pictures_of_patches(model, data, answers, metrics):
    embedding, positions = find_layer(model, PatchEmbedding), find_layer(model, PositionEmbedding)
    if positions is not None:
        yield "position_similarity", positions_picture(positions)
    if embedding is None:
        return
    chosen = _examples(strata(data.test.labels, data.label_kind), 5)
    patch_size = embedding.patch_size
    yield "patches", patches_picture(data.test.images[chosen[:3]], patch_size)
    if has_attention(model):
        images = data.test.images[chosen]
        words = KINDS[data.label_kind].texts(
            data.test.labels[chosen], answers[chosen], data.label_names, metrics
        )
        yield "attention_rollout", rollout_picture(model, images, words)
        yield "attention_heads", heads_picture(model, images[:3])
        yield "patch_components", components_picture(model, images)


def _examples(groups, count):
    """Returns the indices of the first images of `count` classes, spread evenly over all classes."""
    first = np.unique(groups, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(groups)), first)
    if len(first) < count:
        return np.concatenate([first, others[: count - len(first)]])
    return first[np.linspace(0, len(first) - 1, count).round().astype(int)]
