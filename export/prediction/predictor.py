"""A model in any form, as a function from arrays to arrays."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_vit.errors import InputError, counted, listed
from keras_vit.export.model.arrays import by_name, check_same_length, fitted
from keras_vit.export.model.description import Description
from keras_vit.io.preprocessing import Preprocessing

LOGITS, PROBABILITIES = "logits", "probabilities"  # what the outputs of a model can be
MOST_NUMBERS = 2**27  # of one item of an input


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A model in any form.

    Attributes:
        description: `Description` of its inputs and outputs, with the names of its classes.
        run: function from checked arrays by name to the outputs by name.
        attend: function from checked arrays by name to maps of attention, or None.
        classes: str, the output that has the probabilities of classes, or None.
    """

    description: Description
    run: Callable
    attend: Callable | None = None
    classes: str | None = None

    def __post_init__(self):
        for tensor in self.description.inputs:
            if not 0 < math.prod(size or 1 for size in tensor.shape) <= MOST_NUMBERS:
                raise InputError(f"Expected a model of a sensible size, received one of {tensor.shape}.")
        names, named = self.label_names, self.description.named
        columns = self.num_classes if self.classes else named.shape[-1] if named and named.shape else None
        if names is not None and columns is not None and len(names) != columns:
            has = counted(columns, "class", "classes") if self.classes else counted(columns, "output")
            raise InputError(
                f"Expected one label per {'class' if self.classes else 'output'}: the model has {has}, the "
                f"labels next to it are {len(names)}. Put the labels.txt of its training there, or none."
            )
        for output in self.description.outputs:
            if output.thresholds is not None and len(output.thresholds) not in output.shape[-1:]:
                raise InputError(
                    f"Expected one threshold per label: {output.name} of the model is {output.shape}, the "
                    f"thresholds that are recorded with it are {len(output.thresholds)}."
                )

    @property
    def label_names(self) -> tuple | None:
        """The names of the classes, or None."""
        return self.description.label_names

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What resizes and crops an image for its one input, or None where that is not known."""
        return self.description.preprocessing

    @property
    def grey(self) -> bool:
        """Whether it was trained on grey images, which it is to be given also where it takes RGB."""
        return self.description.grey

    @property
    def image_shape(self) -> tuple:
        """`(height, width, channels)` of the model's one input; another model is an InputError."""
        shapes = [tensor.shape for tensor in self.description.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 3:
            raise InputError(f"Expected a model of one image, received one of inputs {listed(shapes)}.")
        return tuple(shapes[0])

    @property
    def num_classes(self) -> int:
        """How many probabilities there are; a model without any is an InputError."""
        (shape,) = [output.shape for output in self.description.outputs if output.name == self._classes()]
        return int(shape[-1])

    def outputs(self, inputs: Any) -> dict[str, np.ndarray]:
        """Returns the outputs by name, each with one row per item.

        Args:
            inputs: array, list or dict of arrays, as the model takes them (`description`), of any number of
                items. A model of RGB takes grey images too.

        Raises:
            InputError: inputs of another shape.
        """
        return self.run(self._checked(inputs))

    def probabilities(self, inputs: Any) -> np.ndarray:
        """Returns the probabilities of the classes, float32 `(n, num_classes)`; takes what `outputs` takes.

        Raises:
            InputError: inputs of another shape, or a model whose outputs are not known as probabilities.
        """
        name, inputs = self._classes(), self._checked(inputs, least=0)
        if not len(next(iter(inputs.values()))):
            return np.zeros((0, self.num_classes), "float32")
        return np.asarray(self.run(inputs)[name], "float32")

    def attention_maps(self, images: np.ndarray) -> np.ndarray:
        """Returns the attention rollout, float32 `(n, rows, columns)`, of at least one image.

        Raises:
            InputError: the model has no attention, or the file does not give it.
        """
        if self.attend is None:
            raise InputError(
                "Expected a model that returns its attention. Export a Vision Transformer with --attention."
            )
        return np.asarray(self.attend(self._checked(images)), "float32")

    def _classes(self):
        if self.classes is None:
            outputs = ", ".join(f"{o.name} {o.shape}" for o in self.description.outputs)
            raise InputError(
                f"Expected a classifier, but its outputs are not probabilities of classes: {outputs}. Use "
                "outputs(inputs), or declare outputs='logits' or 'probabilities' when it is loaded."
            )
        return self.classes

    def _checked(self, inputs, least=1):
        tensors = self.description.inputs
        arrays = by_name(inputs, [tensor.name for tensor in tensors])
        for tensor in tensors:
            array = np.asarray(arrays[tensor.name])
            if array.shape[-1:] == (1,) and len(tensor.shape) == 3 and tensor.shape[-1] == 3:
                array = np.repeat(array, 3, axis=-1)
            arrays[tensor.name] = fitted(array, tensor, least)
        check_same_length(arrays)
        return arrays
