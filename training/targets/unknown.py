"""Pictures that have none of the classes: the score below which a classifier should not name one."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from keras_vit.constraints import Range
from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.io.folders import scan
from keras_vit.io.images import read_image
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.training.chance import interval
from keras_vit.training.data.items import hashes

Precision = Annotated[float, Range(0.01, 0.9999)]
FEWEST = 10  # answers on validation images that a threshold has to leave


@dataclasses.dataclass(frozen=True)
class Unsure:
    """What is wanted of a classifier that may answer "none of these"."""

    precision: Precision  # the least share of answers with a class that are right
    unknown: str | Path | None = None  # folder of pictures that have none of the classes


def check_has_classes(task: str) -> None:
    """Raises InputError unless a run's outputs are classes, by the task of `OutputMeaning`."""
    if task == "classification":
        return
    way = "Leave precision out."
    if task == "labels":
        way = (
            "Each label has a threshold of its own, in outputs.json: an image that reaches none of them has "
            "none of the labels. For stricter ones: keras-vit predict --min-score S."
        )
    raise InputError(f"precision (--precision) is for runs of classes, and this one is of {task}. {way}")


def check_folder(unknown: str | Path) -> Path:
    """Returns the path of a folder of unknown pictures, or raises InputError."""
    path = Path(unknown).expanduser()
    if not path.is_dir():
        raise InputError(f"Expected a folder of pictures with none of the classes at {path}, found none.")
    return path


def scored(answers: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the score of the best class of each image, and whether it is right, both `(n,)`.

    >>> scored(np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 1]))
    (array([0.75, 0.5 ]), array([ True, False]))
    """
    labels = labels if labels.ndim == 1 else labels.argmax(axis=1)
    return answers.max(axis=1), answers.argmax(axis=1) == labels


def fit_none_below(
    wanted: Unsure | None,
    known: dict[str, tuple[np.ndarray, np.ndarray]],
    unknown: Sequence[np.ndarray] | None,
    earlier: float | None,
) -> tuple[float, dict[str, Any]]:
    """Returns the score below which a class is no answer, and what that does to other pictures.

    Args:
        wanted: Unsure, or None: `earlier` stays the score.
        known: what `scored` returned for `"validation"`, which the score is fitted on, and `"test"`.
        unknown: scores of pictures with none of the classes, to fit it on and to try it on; or None.
        earlier: float, the score of an earlier evaluation, or None.

    Raises:
        InputError: no score gives what is wanted.
    """
    first, second = (None, None) if unknown is None else unknown
    if wanted is None:
        return earlier, figures_of(earlier, *known["test"], second)
    scores, right = known["validation"]
    if first is not None:
        scores, right = np.append(scores, first), np.append(right, np.zeros(len(first), bool))
    least = least_score(scores, right, wanted.precision)
    return least, figures_of(least, *known["test"], second)


def least_score(scores: np.ndarray, right: np.ndarray, precision: float) -> float:
    """Returns the smallest score from which on the wanted share of answers is right, `right` per picture.

    Example:
        >>> scores = np.arange(1, 21) / 20
        >>> round(least_score(scores, scores > 0.4, 0.9), 3)
        0.375
    """
    if right.sum() < precision * FEWEST:
        raise InputError(
            f"A threshold for {precision:g} has to leave {FEWEST} answers or more, and {right.sum():,} on the"
            " validation images are right. Add images, or train with a larger validation_fraction."
        )
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.diff(scores[order]) != 0, True)  # equal scores are answered alike
    enough = np.flatnonzero((share >= precision) & ends & (np.arange(len(order)) >= FEWEST - 1))
    if not len(enough):
        best = share[FEWEST - 1 :].max(initial=0)
        raise InputError(
            f"No score makes {precision:g} of the answers right: of the surest ones at most {best:.4f} are. "
            "Train a better model, or want less (--precision)."
        )
    last = int(enough[-1])
    below = scores[order[last + 1]] if last + 1 < len(order) else 0.0
    return float((scores[order[last]] + below) / 2)


def read_unknown(folder: str | Path, prepare: Preprocessing, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads all pictures in a folder; returns them in two halves, by a hash of their content.

    Those that cannot be read are left out, with a warning.
    """
    path = check_folder(folder)
    images, broken = [], []
    for file in scan(path, Counter()).all_images():
        try:
            images.append(read_image(file, prepare, channels))
        except InputError:
            broken.append(os.path.basename(file))
    if broken:
        left_out = counted(len(broken), "picture")
        warn(f"Left out {left_out} of {path}, which cannot be read: {listed(broken, 3)}.")
    if len(images) < 2:
        raise InputError(f"Expected at least two pictures in {path}, found {len(images)}.")
    images = np.stack(images)
    order = np.argsort(hashes(image.tobytes() for image in images))
    middle = len(order) // 2
    return images[order[:middle]], images[order[middle:]]


def figures_of(
    least: float, scores: np.ndarray, right: np.ndarray, unknown: np.ndarray | None
) -> dict[str, Any]:
    """Returns what a threshold does to other pictures: entries of `metrics.json`.

    `unknown` are the scores of pictures with none of the classes, or None.
    """
    answered = scores >= least
    figures = {
        "threshold": least,
        "precision": float(right[answered].mean()) if answered.any() else None,
        "answered": float(answered.mean()),
    }
    if answered.any():
        figures |= {"precision_interval": interval(right[answered]), "num_answered": int(answered.sum())}
    if unknown is not None:
        figures |= {"unknown_answered": float((unknown >= least).mean()), "num_unknown": len(unknown)}
    return figures


def none_of_these(figures: dict[str, Any]) -> str:
    """Returns a line on what `figures_of` returned."""
    precision = "none" if figures["precision"] is None else f"{figures['precision']:.4f}"
    line = (
        f"none of these below a probability of {figures['threshold']:.4f}: {100 * figures['answered']:.1f} % "
        f"of the test images get a class, and {precision} of these are right"
    )
    if "precision_interval" in figures:  # not where an earlier version wrote them
        low, high = figures["precision_interval"]
        line += f" ({low:.4f} to {high:.4f}, 95 %, by {counted(figures['num_answered'], 'image')})"
    if "unknown_answered" not in figures:
        return line
    share, count = 100 * figures["unknown_answered"], figures["num_unknown"]
    return f"{line}; of {counted(count, 'unknown picture')} {share:.1f} % get one"
