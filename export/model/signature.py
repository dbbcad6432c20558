"""The named inputs and outputs of a Keras model."""

import dataclasses
import inspect
import re
from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError, first_line
from keras_vit.export.model.arrays import by_name, fitted
from keras_vit.keras_internals import input_structure, is_graph, output_structure, source_of

NARROW = {"float64": "float32", "int64": "int32"}  # numpy's own types, which phones do not need


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output."""

    name: str  # unique among the inputs or among the outputs
    shape: tuple  # without the batch axis; None for a size that the model leaves open
    dtype: str  # such as "float32"


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a model takes and returns, by name, and the structure in which Keras passes the inputs."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    structure: Any  # of the inputs: one value, a list or a dict

    def call(self, function, tensors: dict) -> dict:
        """Calls a function that has the model's own structures; returns its outputs by name."""
        outputs = function(self.packed(tensors))
        names = [tensor.name for tensor in self.outputs]
        return dict(zip(names, keras.tree.flatten(outputs), strict=True))

    def packed(self, tensors: dict):
        """Returns tensors by name in the structure that the model takes."""
        return keras.tree.pack_sequence_as(self.structure, [tensors[t.name] for t in self.inputs])


def signature_of(
    model: keras.Model, arrays: Any, named_as: keras.Model
) -> tuple[Signature, dict[str, np.ndarray]]:
    """Returns a model's signature, and the given arrays by the names of its inputs.

    Names are those of `keras.Input` and of the layers that compute the outputs, or the keys of dicts. A model
    whose `call` is its own code is called on one item: its inputs are named as the argument of `call`, its
    outputs `output_0`, `output_1` and so on, unless they are in dicts.

    Args:
        model: any kind of `keras.Model`, built or not.
        arrays: array, list or dict of arrays whose first axis is the items.
        named_as: the model itself, or one with the same graph whose names are taken.

    Raises:
        InputError: arrays that do not fit the inputs.
    """
    if not is_graph(model):
        return _of_code(model, arrays)
    signature, names = graph_signature(model), graph_signature(named_as)
    signature = dataclasses.replace(
        signature,
        inputs=_renamed(signature.inputs, names.inputs),
        outputs=_renamed(signature.outputs, names.outputs),
    )
    return signature, _fitted(signature.inputs, arrays)


def input_rank(model: keras.Model) -> int | None:
    """Returns how many axes the first input has, the batch included; None where only a call shows it."""
    return len(keras.tree.flatten(input_structure(model))[0].shape) if is_graph(model) else None


def graph_signature(model: keras.Model) -> Signature:
    """Returns the signature of a functional or built Sequential model."""
    structure = input_structure(model)
    symbols = keras.tree.flatten(structure)
    names = _names(structure, [source_of(symbol)[0].name for symbol in symbols])
    inputs = tuple(map(_tensor, names, symbols))
    structured = output_structure(model)
    symbols = keras.tree.flatten(structured)
    names = _names(structured, [source_of(symbol)[0].name for symbol in symbols])
    outputs = tuple(map(_output, names, symbols))
    return Signature(inputs, outputs, _without_values(structure))


def _renamed(tensors, others):
    pairs = zip(tensors, others, strict=True)
    return tuple(dataclasses.replace(tensor, name=other.name) for tensor, other in pairs)


def _of_code(model, arrays):
    argument = next(iter(inspect.signature(model.call).parameters), "inputs")
    values = [np.asarray(value) for value in keras.tree.flatten(arrays)]
    names = _names(arrays, _numbered(argument, len(values), from_two=True))
    inputs = tuple(
        Tensor(name, value.shape[1:], NARROW.get(str(value.dtype), str(value.dtype)))
        for name, value in zip(names, values, strict=True)
    )
    signature = Signature(inputs, (), _without_values(arrays))
    arrays = _fitted(inputs, arrays)
    one = {t.name: keras.ops.convert_to_tensor(arrays[t.name][:1], dtype=t.dtype) for t in inputs}
    try:
        structured = model(signature.packed(one), training=False)
    except Exception as error:  # the model's own code, which may raise anything
        raise InputError(f"{model.name} cannot be called on the inputs given: {first_line(error)}") from error
    values = keras.tree.flatten(structured)
    outputs = tuple(map(_output, _names(structured, _numbered("output", len(values))), values))
    return dataclasses.replace(signature, outputs=outputs), arrays


def _output(name, value):
    is_dense = hasattr(value, "dtype") and not (hasattr(value, "row_splits") or hasattr(value, "dense_shape"))
    kind = keras.backend.standardize_dtype(value.dtype) if is_dense else type(value).__name__
    if not is_dense or kind == "string" or kind.startswith("complex"):
        raise InputError(
            f"Expected the output {name!r} to be a dense array of real numbers, received {kind}."
        )
    return _tensor(name, value)


def _tensor(name, value):
    if not len(value.shape):
        raise InputError(f"Expected {name!r} to have a value for each item, received a single number.")
    dtype = keras.backend.standardize_dtype(value.dtype)
    return Tensor(name, tuple(value.shape)[1:], NARROW.get(dtype, dtype))


def _fitted(tensors, arrays):
    arrays = by_name(arrays, [tensor.name for tensor in tensors])
    return {tensor.name: fitted(arrays[tensor.name], tensor) for tensor in tensors}


def _names(structure, names):
    """The keys of dicts, else the given names; each with letters, digits and `_` only, and once only."""
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    named = [
        "_".join(map(str, path)) if any(isinstance(key, str) for key in path) else name
        for path, name in zip(paths, names, strict=True)
    ]
    unique = []
    for name in (re.sub(r"\W", "_", name) for name in named):
        number = 1
        while (tried := name if number == 1 else f"{name}_{number}") in unique:
            number += 1
        unique.append(tried)
    return unique


def _numbered(name, count, from_two=False):
    return [name] if count == 1 and from_two else [f"{name}_{index}" for index in range(count)]


def _without_values(structure):
    return keras.tree.map_structure(lambda _: 0, structure)
