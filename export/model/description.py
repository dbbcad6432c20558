"""What a file takes and returns, for whoever has the file alone: `model.json`, in each of them."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.export.images.app_input import is_pixels
from keras_vit.export.tasks import TASKS
from keras_vit.export.tflite.archive import attached_file
from keras_vit.io.json_files import parse_json
from keras_vit.io.preprocessing import Preprocessing

NAME = "model.json"


@dataclasses.dataclass(frozen=True)
class InputDescription:
    """One input: what the app has to pass."""

    name: str
    shape: tuple  # without the batch, None for an open size
    dtype: str
    pixels: bool = False  # images whose values are from 0 to 255
    low: float | None = None  # the smallest value that the model was verified with
    high: float | None = None  # the largest one
    scale: float | None = None  # of whole numbers that stand for (number - zero_point) * scale
    zero_point: int | None = None


@dataclasses.dataclass(frozen=True)
class OutputDescription:
    """One output."""

    name: str
    shape: tuple  # without the batch
    dtype: str
    task: str | None = None  # a name in keras_vit.export.tasks.TASKS; None where none was declared
    activation: str | None = None  # softmax or sigmoid; None where the export added none
    scale: float | None = None  # as of an input
    zero_point: int | None = None
    thresholds: tuple | None = None  # of the task labels, the least value of each label that holds
    none_below: float | None = None  # of classification, the best class's value below which it is no answer


@dataclasses.dataclass(frozen=True)
class Description:
    """The inputs and outputs of a file."""

    inputs: tuple[InputDescription, ...]
    outputs: tuple[OutputDescription, ...]
    label_names: tuple[str, ...] | None = None  # of the classes or labels
    grey: bool = False  # it takes RGB, but was trained on grey images
    preprocessing: Preprocessing | None = None  # what makes an image its one input

    @property
    def named(self) -> OutputDescription | None:
        """The one output whose columns the label names are of, or None."""
        found = [output for output in self.outputs if output.task in TASKS and TASKS[output.task].has_names]
        return found[0] if len(found) == 1 and self.label_names else None

    @property
    def classified(self) -> OutputDescription | None:
        """The one output whose task is classification, or None."""
        found = [output for output in self.outputs if output.task == "classification"]
        return found[0] if len(found) == 1 else None

    def example(self) -> dict[str, np.ndarray]:
        """Returns one item by name, of the largest values that the model was verified with, else of zeros.

        All zeros may be what a model never gets, such as a text without any word.
        """
        return {
            t.name: np.full((1, *t.shape), t.high or 0).astype(t.dtype if t.scale is None else "float32")
            for t in self.inputs
        }

    def with_scales(self, ends: dict[str, dict]) -> "Description":
        """Returns it with `dtype`, `scale` and `zero_point` of these inputs and outputs, by name.

        Thresholds that no value of an output reaches become such that its largest value does.
        """
        inputs, outputs = (
            tuple(dataclasses.replace(t, **ends.get(t.name, {})) for t in tensors)
            for tensors in (self.inputs, self.outputs)
        )
        return dataclasses.replace(self, inputs=inputs, outputs=tuple(map(_within_reach, outputs)))

    def as_dict(self):
        """Returns it as a value that JSON has."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def to_bytes(self):
        """Returns it as JSON in UTF-8."""
        return (
            json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        ).encode()


def _within_reach(output):
    if output.scale is None:
        return output
    most = (np.iinfo(output.dtype).max - output.zero_point - 0.5) * output.scale
    thresholds, none_below = output.thresholds, output.none_below
    return dataclasses.replace(
        output,
        thresholds=None if thresholds is None else tuple(min(least, most) for least in thresholds),
        none_below=None if none_below is None else min(none_below, most),
    )


def described(
    tensors, arrays, expected, activations, label_names=None, preprocessing=None, grey=False
) -> Description:
    """Describes a file with these input tensors, verified with these arrays against these outputs."""
    inputs = tuple(
        InputDescription(t.name, t.shape, t.dtype, is_pixels(array), float(array.min()), float(array.max()))
        for t, array in ((t, arrays[t.name]) for t in tensors)
    )
    outputs = tuple(
        OutputDescription(
            name,
            y.shape[1:],
            str(y.dtype),
            task and task.name,
            activations.get(name),
            thresholds=None if thresholds is None else tuple(thresholds.tolist()),
            none_below=none_below,
        )
        for name, (y, task, _, thresholds, none_below) in expected.items()
    )
    return Description(inputs, outputs, label_names and tuple(label_names), grey, preprocessing)


def read_description(path: str | Path) -> Description | None:
    """Reads the description in a `.tflite` file or a SavedModel folder, or returns None without one."""
    content = attached_file(path, NAME)
    return None if content is None else _parsed(parse_json(content, f"{NAME} in {path}"), path)


def _parsed(document, path):
    try:
        names, known = document["label_names"], document.get("preprocessing")
        return Description(
            tuple(_built(InputDescription, entry) for entry in document["inputs"]),
            tuple(_built(OutputDescription, entry) for entry in document["outputs"]),
            None if names is None else tuple(map(str, names)),
            bool(document["grey"]),
            None if known is None else Preprocessing.from_json(known, f"the {NAME} of {path}"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: its {NAME} describes no model. Export again.") from error


def _built(kind, entry):
    thresholds = entry.get("thresholds")
    for value in (entry.get("high"), entry.get("none_below"), *(thresholds or ())):
        if not isinstance(value, int | float | None):
            raise TypeError(f"{value!r} is no number")
    fields = {**entry, "name": str(entry["name"]), "shape": tuple(entry["shape"])}
    if thresholds is not None:
        fields["thresholds"] = tuple(map(float, thresholds))
    return kind(**fields)
