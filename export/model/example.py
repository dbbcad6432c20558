"""One item for each input of a model, of zeros, where only sizes and types matter."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.export.images.app_input import PHOTOS
from keras_vit.export.model.arrays import check_takes_numbers
from keras_vit.export.model.signature import graph_signature
from keras_vit.keras_internals import is_graph

MOST_NUMBERS = 2**27  # of one item


def example_inputs(model: keras.Model, shapes: Mapping[str, Sequence[int]] | None = None) -> Any:
    """Returns an item of zeros as a model takes it: a dict by input, or one array for a subclass.

    Photographs, grey or RGB, are uint8, as from files.

    Args:
        model: any kind of `keras.Model`.
        shapes: dict from inputs to their shapes, the batch first; the key `""` is the only one. Default:
            None, those of `keras.Input`, or with which a subclassed model was built.

    Raises:
        InputError: a shape that is not known or does not fit.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((None, 8), name="steps"), keras.layers.Dense(2)])
        >>> {name: array.shape for name, array in example_inputs(model, {"": (1, 5, 8)}).items()}
        {'steps': (1, 5, 8)}
    """
    shapes = dict(shapes or {})
    if not is_graph(model):
        return _of_code(model, shapes)
    tensors = graph_signature(model).inputs
    if "" in shapes and len(tensors) == 1:
        shapes[tensors[0].name] = shapes.pop("")
    if unknown := shapes.keys() - {tensor.name for tensor in tensors}:
        raise InputError(
            f"Expected shapes of {listed(t.name for t in tensors)}, received one of {min(unknown)!r}."
        )
    return {tensor.name: _zeros(tensor, shapes.get(tensor.name), model) for tensor in tensors}


def _zeros(tensor, shape, model):
    check_takes_numbers(tensor)
    shape = (1, *tensor.shape) if shape is None else tuple(shape)
    wanted = (None, *tensor.shape)
    fits = len(shape) == len(wanted) and all(w in (None, s) for s, w in zip(shape, wanted, strict=True))
    if not fits:
        raise InputError(f"Expected the shape of {tensor.name!r} as {wanted}, received {shape}.")
    if None in shape:
        raise InputError(
            f"{model.name} leaves sizes of {tensor.name!r} open: {wanted}. Give those of the file, such as "
            f"--shape {tensor.name}={','.join(str(size or 64) for size in shape)}, or data that have them."
        )
    is_image = len(shape) == 4 and shape[-1] in PHOTOS and tensor.dtype == "float32"
    return _array(shape, "uint8" if is_image else tensor.dtype)


def _of_code(model, shapes):
    """A subclassed model has no inputs with names: its shapes are known from its building, if at all."""
    if shapes:
        arrays = {name: _array(shape, "float32") for name, shape in shapes.items()}
        return arrays[""] if set(arrays) == {""} else arrays
    built = (model.get_build_config() or {}) if model.built else {}
    shape = built.get("input_shape") or [None, None]
    if not all(isinstance(size, int) for size in shape[1:]):
        raise InputError(
            f"{model.name} is a {type(model).__name__} whose input shapes are not known. Give data, or the "
            "shape of one item with the batch, such as --shape 1,28,28,3."
        )
    return _array((1, *shape[1:]), "float32")


def _array(shape, dtype):
    if math.prod(shape) > MOST_NUMBERS:
        raise InputError(f"Expected an item of a sensible size, received {tuple(shape)}.")
    return np.zeros((1, *shape[1:]), dtype)
