"""A model as a function from named tensors to named tensors, as its files compute it."""

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np

from keras_vit.errors import InputError, counted, listed
from keras_vit.export.model.arrays import BATCH, by_name, check_same_length, fitted
from keras_vit.export.model.signature import Signature, signature_of
from keras_vit.keras_internals import is_graph, source_inputs, source_of

ACTIVATIONS = {"softmax": keras.ops.softmax, "sigmoid": keras.ops.sigmoid}
PROBABILITIES = "probabilities"  # the name of a single output to which an activation is added
FEW = 8  # items that show whether outputs are probabilities
_UNCHANGING = ("cast", "identity", "reshape", "flatten", "dropout")


class ModelFunction:
    """A model, with its inputs and outputs by name, and an activation behind some outputs.

    Attributes:
        model: `keras.Model` that computes in float32.
        inputs: tuple of `keras_vit.export.model.signature.Tensor`, with all sizes known.
        outputs: tuple of `Tensor`.
        open_inputs: tuple of `Tensor` with the sizes that the model leaves open as None.
        activations: dict from an output's name to `"softmax"` or `"sigmoid"`.
    """

    def __init__(
        self, model: keras.Model, signature: Signature, sizes: dict, activations: dict | None = None
    ):
        self.model = model
        self.name = model.name
        self.variables = model.variables
        self.open_inputs = signature.inputs
        self.inputs = tuple(dataclasses.replace(t, shape=sizes[t.name]) for t in signature.inputs)
        self._signature = signature
        self._activations = activations or {}  # by the names of the model
        names = [PROBABILITIES if t.name in self._activations and len(signature.outputs) == 1 else t.name
                 for t in signature.outputs]  # fmt: skip
        self.activations = {
            name: self._activations[tensor.name]
            for name, tensor in zip(names, signature.outputs, strict=True)
            if tensor.name in self._activations
        }
        self.outputs = tuple(
            dataclasses.replace(t, name=name) for name, t in zip(names, signature.outputs, strict=True)
        )

    def __call__(self, tensors: dict) -> dict:
        """Returns outputs by name for tensors by name, as the Keras model computes them."""
        return self.call(lambda inputs: self.model(inputs, training=False), tensors)

    def call(self, function, tensors: dict) -> dict:
        """Computes the outputs with another form of the model, a function of the same structures."""
        tensors = {t.name: keras.ops.cast(tensors[t.name], t.dtype) for t in self.inputs}
        return self._finished(self._signature.call(function, tensors))

    def predict(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns outputs by name, from `keras.Model.predict`."""
        given = {t.name: np.asarray(arrays[t.name]).astype(t.dtype) for t in self.inputs}

        def predict(inputs):
            return self.model.predict(inputs, batch_size=BATCH, verbose=0)

        outputs = self._finished(self._signature.call(predict, given))
        return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}

    def check_logits(self, arrays):
        """Raises InputError where the values before an added softmax are probabilities already."""
        few = {name: array[:FEW] for name, array in arrays.items()}
        before = ModelFunction(self.model, self._signature, {n: a.shape[1:] for n, a in few.items()})
        for name, values in before.predict(few).items() if "softmax" in self._activations.values() else ():
            is_softmax = self._activations.get(name) == "softmax"
            if is_softmax and values.min() >= 0 and np.allclose(values.sum(axis=-1), 1, atol=1e-3):
                raise InputError(
                    f"Expected a model that returns logits, but {name!r} of {self.name} already returns "
                    "probabilities. Leave out activation='softmax'."
                )

    def fitted(self, inputs) -> dict[str, np.ndarray]:
        """Returns other inputs (array, list or dict) by name, checked against `inputs`."""
        arrays = by_name(inputs, [tensor.name for tensor in self.inputs])
        arrays = {tensor.name: fitted(arrays[tensor.name], tensor) for tensor in self.inputs}
        check_same_length(arrays)
        return arrays

    def _finished(self, outputs):
        return {
            tensor.name: ACTIVATIONS[self._activations[name]](value) if name in self._activations else value
            for tensor, (name, value) in zip(self.outputs, outputs.items(), strict=True)
        }


def model_function(
    model: keras.Model,
    inputs,
    activation: str | dict[str, str] | None = None,
    named_as: keras.Model | None = None,
) -> tuple[ModelFunction, dict[str, np.ndarray]]:
    """Returns a model as a function, and the given inputs as arrays by name.

    An `activation`, `"softmax"` or `"sigmoid"`, is computed behind the model's output, which is then called
    `probabilities`; of several outputs it is a dict. `named_as` is the model that `model` is a copy of.
    """
    signature, arrays = signature_of(model, inputs, named_as or model)
    check_same_length(arrays)
    sizes = {name: array.shape[1:] for name, array in arrays.items()}
    activations = _activations(activation, signature, model)
    return ModelFunction(model, signature, sizes, activations), arrays


def _activations(activation, signature, model):
    names = [tensor.name for tensor in signature.outputs]
    if activation is None:
        return {}
    if not isinstance(activation, Mapping):
        if len(names) > 1:
            raise InputError(
                f"Expected activation as a dict from outputs ({', '.join(names)}) to their activations, "
                f"received {activation!r} for {counted(len(names), 'output')}."
            )
        activation = {names[0]: activation}
    for name, function in activation.items():
        if name not in names or function not in ACTIVATIONS:
            raise InputError(
                f"Expected activation to be {' or '.join(map(repr, ACTIVATIONS))} for {listed(names)}, "
                f"received {function!r} for {name!r}."
            )
    _check_logits(model, activation, signature)
    return dict(activation)


def _check_logits(model, activation, signature):
    """Raises InputError where a graph already ends in softmax or sigmoid."""
    if not is_graph(model):
        return
    for tensor, symbol in zip(signature.outputs, model.outputs, strict=True):
        if tensor.name in activation and (last := ending(symbol)) in ACTIVATIONS:
            raise InputError(
                f"Expected a model that returns logits, but {model.name} ends in {last}. Leave out "
                f"activation={activation[tensor.name]!r}."
            )


def ending(tensor):
    """Returns the name of the function that computes a symbolic tensor, apart from casts and reshapes."""
    operation, index = source_of(tensor)
    within = getattr(operation, "outputs", None)
    if within:  # a model within the model
        return ending(within[index])
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(operation).__name__).lower()
    passes = name in _UNCHANGING or name == "linear" and isinstance(operation, keras.layers.Activation)
    return ending(source_inputs(tensor)[0]) if passes else name
