"""What the outputs of a run's model mean, as `outputs.json` in its folder has it."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json, write_json

NAME = "outputs.json"
_ACTIVATIONS = {"classification": "softmax", "labels": "sigmoid", "regression": None}  # of each task
_MOST = 1e6  # of a temperature, its inverse and a sharpening: what float32 computes with


@dataclasses.dataclass(frozen=True)
class OutputMeaning:
    """What makes answers of a model's outputs."""

    task: str = "classification"  # of keras_vit.export.tasks
    activation: str | None = "softmax"  # or sigmoid; it follows after `calibrated`
    temperature: float = 1.0  # of `calibrated`, like the next
    sharpening: float = 0.0
    thresholds: Sequence[float] | None = None  # of several labels the least probability of each that holds
    none_below: float | None = None  # the probability of the best class below which it is no answer

    def is_declared(self, outputs: str | None) -> bool:
        """Whether this is what a user declares outputs to be: `"logits"` or, with None, whatever is known."""
        return outputs is None or (outputs, self.activation) == ("logits", "softmax")

    def is_calibrated_by(self, fitted: dict[str, float]) -> bool:
        """Whether these are its numbers, as fitted again on the same outputs."""
        names = ("temperature", "sharpening")
        return np.allclose(*([values.get(n, 0) for n in names] for values in (vars(self), fitted)), rtol=0.01)

    def write(self, folder: str | os.PathLike) -> None:
        """Writes it into a run folder."""
        write_json(Path(folder, NAME), dataclasses.asdict(self))


def read_output_meaning(folder: str | os.PathLike) -> OutputMeaning:
    """Reads it from a run folder; of a run of an earlier version, without such a file, it is the default."""
    path = Path(folder, NAME)
    if not path.is_file():
        return OutputMeaning()
    try:
        found = read_json(path, dict)
        thresholds, none_below = found["thresholds"], found.get("none_below")
        meaning = OutputMeaning(
            found["task"],
            found["activation"],
            _number(found["temperature"], 1 / _MOST, _MOST),
            _number(found.get("sharpening", 0.0), 0, _MOST),
            None if thresholds is None else tuple(_number(least, 0, 1) for least in thresholds),
            None if none_below is None else _number(none_below, 0, 1),
        )
        if _ACTIVATIONS[meaning.task] != meaning.activation:
            raise ValueError(f"{meaning.task} with {meaning.activation}")
        if none_below is not None and meaning.task != "classification":
            raise ValueError(f"none_below of {meaning.task}")
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: evaluate the run again to write it.") from error
    return meaning


def _number(value, low, high):
    if isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{value!r} is not from {low} to {high}")
    return float(value)


def calibrated(outputs: np.ndarray, temperature: float = 1.0, sharpening: float = 0.0) -> np.ndarray:
    """Returns outputs from which calibrated probabilities follow, float64, in the order that they had.

    They are divided by a temperature. With `sharpening`, logits `(n, classes)` are taken from their mean, and
    multiplied by `1 / temperature + sharpening * their largest`: the surer the model, the more.
    """
    outputs = np.asarray(outputs, "float64")
    if not sharpening:
        return outputs / temperature
    centred = outputs - outputs.mean(axis=1, keepdims=True)
    return centred * (1 / temperature + sharpening * centred.max(axis=1, keepdims=True))
