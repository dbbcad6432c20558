"""Reads a run's history and draws its training curves."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from keras_vit.errors import InputError
from keras_vit.io.files import read_bytes
from keras_vit.io.json_files import finite_number
from keras_vit.training.callbacks.history_file import COLUMNS
from keras_vit.training.report.style import BLUE, GREEN, ORANGE, figure, words

NEEDED = tuple(name for name in COLUMNS if "accuracy" not in name)  # what all trainings log


def read_history(path, needed=NEEDED) -> dict[str, np.ndarray]:
    """Reads the columns of `history.csv`, each `(epochs,)`; empty without a file, or an epoch in it.

    In other columns than those needed, what is not a number is NaN.
    """
    path = Path(path)
    if not path.is_file():
        return {}
    content = read_bytes(path, "the history of a training")
    try:
        reader = csv.DictReader(content.decode("utf-8-sig").splitlines())
        rows = list(reader)
        if not set(needed) <= set(reader.fieldnames or needed):
            raise ValueError("its first line has other names")
        others = [c for c in reader.fieldnames or () if c not in needed]
        columns = {c: np.array([finite_number(row[c]) for row in rows]) for c in needed}
        columns |= {c: np.array([_number(row[c]) for row in rows]) for c in others}
        return columns if rows else {}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"Expected numbers in the columns {', '.join(needed)} of {path}, received a row without "
            f"one: {error}. Remove the file to write the report without training curves."
        ) from error


def _number(text):
    try:
        return finite_number(text)
    except (TypeError, ValueError):
        return np.nan


def training_curves(history, metric="accuracy", loss_label="Loss (nats)"):
    """Draws loss, a metric and learning rate by epoch of a history that is not empty."""
    canvas = figure(height=8)
    loss, other, rate = canvas.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    _pair(loss, history, "loss", loss_label)
    _pair(other, history, metric, words(metric))
    rate.plot(history["epoch"], history["learning_rate"], color=GREEN, marker=_marker(history))
    rate.set_ylabel("Learning rate")
    rate.set_ylim(bottom=0)
    rate.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    rate.set_xlabel("Epoch")
    rate.set_xlim(history["epoch"][0] - 0.5, history["epoch"][-1] + 0.5)
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (loss, other, rate):
        axes.grid(axis="y", color="0.9")
    canvas.align_ylabels()
    return canvas


def _pair(axes, history, name, label):
    style = {"marker": _marker(history), "markersize": 9, "fillstyle": "none"}
    axes.plot(history["epoch"], history[name], color=BLUE, label="training", **style)
    style["markersize"] = 5  # smaller, so that neither hides the other
    axes.plot(
        history["epoch"], history[f"val_{name}"], color=ORANGE, linestyle="--", label="validation", **style
    )
    axes.set_ylabel(label)
    axes.legend()


def _marker(history):
    return "o" if len(history["epoch"]) <= 3 else None
