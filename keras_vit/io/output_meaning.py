"""What the outputs of a run's model mean, as `outputs.json` in its folder has it."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json, write_json

NAME = "outputs.json"
_ACTIVATIONS = (None, "softmax", "sigmoid")


@dataclasses.dataclass(frozen=True)
class OutputMeaning:
    """What makes answers of a model's outputs."""

    task: str = "classification"  # of keras_vit.export.tasks
    activation: str | None = "softmax"  # or sigmoid; it follows after `calibrated`
    temperature: float = 1.0  # of `calibrated`, like the next
    sharpening: float = 0.0
    thresholds: Sequence[float] | None = None  # of several labels the least probability of each that holds
    none_below: float | None = None  # the probability of the best class below which it is no answer

    def write(self, folder: str | os.PathLike) -> None:
        """Writes it into a run folder."""
        write_json(Path(folder, NAME), dataclasses.asdict(self))


def read_output_meaning(folder: str | os.PathLike) -> OutputMeaning:
    """Reads it from a run folder; of a run of an earlier version, without such a file, it is the default."""
    path = Path(folder, NAME)
    if not path.is_file():
        return OutputMeaning()
    found = read_json(path, dict)
    try:
        thresholds = found["thresholds"]
        meaning = OutputMeaning(
            str(found["task"]),
            found["activation"],
            float(found["temperature"]),
            float(found.get("sharpening", 0)),
            None if thresholds is None else tuple(map(float, thresholds)),
            None if found.get("none_below") is None else float(found["none_below"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: evaluate the run again to write it.") from error
    is_number = 0 < meaning.temperature < float("inf") and 0 <= meaning.sharpening < float("inf")
    if meaning.activation not in _ACTIVATIONS or not is_number:
        raise InputError(f"{path} is damaged: evaluate the run again to write it.")
    return meaning


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
