"""The operators of a float32 TFLite file as a differentiable function, with or without rounding."""

import numpy as np
import tensorflow as tf

from keras_vit.errors import ConditionError
from keras_vit.export.int8_training.operators import OPERATORS
from keras_vit.export.tflite.graph import computing, is_constant, operators
from keras_vit.export.tflite.rounding import Rounding, stored

WEIGHTS = {"FULLY_CONNECTED": 0, "CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}  # kind: axis of the output's channels


class TrainableGraph:
    """A float32 file's `ModelT`, rounded as its quantized one is; kernels and biases are `variables`.

    `variables` is a dict from the position of an operator and of its input to a `Weight`.
    """

    def __init__(self, float_model, quantized_model):
        self.model, self.graph = float_model, float_model.subgraphs[0]
        self.described = operators(float_model)
        self._check_kinds()
        self.variables, self.constants = self._weights()
        self.roundings = _roundings(self, quantized_model)
        ends = {found.outputs[0]: found.inputs[0] for found in self.described if found.kind == "SOFTMAX"}
        outputs = [int(number) for number in self.graph.outputs]
        self.are_logits = [number in ends for number in outputs]
        self.results = [ends.get(number, number) for number in outputs]

    def __call__(self, *inputs, rounded=True):
        """Returns the outputs for several inputs of the file's shape, instead of probabilities their logits.

        Inputs are `(number, ...)` with the file's own batch of one left out. Without rounding the weights are
        those of the file.
        """
        return tf.vectorized_map(lambda each: self._one([x[None] for x in each], rounded), inputs)

    def _one(self, inputs, rounded):
        values = dict(zip(map(int, self.graph.inputs), inputs, strict=True))
        for position, (operator, described) in enumerate(
            zip(self.graph.operators, self.described, strict=True)
        ):
            given = [self._input(position, place, values, rounded) for place in range(len(operator.inputs))]
            found = OPERATORS[described.kind](operator.builtinOptions, *[x for x in given if x is not None])
            found = found if isinstance(found, list) else [found]
            for number, value in zip(described.outputs, found, strict=True):
                values[number] = self._round_output(position, number, value) if rounded else value
        return [values[number] for number in self.results]

    def _check_kinds(self):
        unknown = sorted({found.kind for found in self.described} - OPERATORS.keys())
        if unknown:
            raise ConditionError(f"int8 training does not know the operators {', '.join(unknown)}")

    def _weights(self):
        variables, constants, by_number = {}, {}, {}  # two operators may share a kernel
        for position, (operator, described) in enumerate(
            zip(self.graph.operators, self.described, strict=True)
        ):
            for place, number in enumerate(map(int, operator.inputs)):
                tensor = self.graph.tensors[number]
                if number < 0 or not is_constant(self.model, tensor):
                    continue
                value = stored(self.model, tensor)
                if described.kind in WEIGHTS and place in (1, 2):
                    variables[position, place] = by_number.setdefault(number, Weight(value))
                else:
                    constants[number] = value
        return variables, constants

    def _input(self, position, place, values, rounded):
        number = int(self.graph.operators[position].inputs[place])
        if number < 0:
            return None
        kind, weight = self.described[position].kind, self.variables.get((position, place))
        if weight is not None:
            value = weight.value() if rounded else tf.constant(weight.start)
            return _rounded_kernel(value, WEIGHTS[kind]) if rounded and place == 1 else value
        rounding = self.roundings.get((position, "input", place)) if rounded else None
        if number in self.constants:
            return self.constants[number] if rounding is None else rounding(self.constants[number])
        return values[number] if rounding is None else _rounded(values[number], rounding)

    def _round_output(self, position, number, value):
        rounding = self.roundings.get((position, "output", number))
        return value if rounding is None else _rounded(value, rounding)


class Weight:
    """A kernel or bias, whose variable is relative to its size: one learning rate fits all of them."""

    def __init__(self, start):
        self.start = start
        self.size = float(np.sqrt(np.mean(np.square(start)))) or 1.0
        self.variable = tf.Variable(start / self.size)

    def value(self):
        return self.variable * self.size


def _roundings(trainable, quantized_model):
    """Returns the roundings of activations and constants by position, `"input"` and place or `"output"`."""
    tensors, roundings = quantized_model.subgraphs[0].tensors, {}
    counterparts = zip(trainable.graph.operators, computing(quantized_model), strict=True)
    for position, (own, (other, _)) in enumerate(counterparts):
        for place, number in enumerate(map(int, other.inputs)):
            if number >= 0 and (position, place) not in trainable.variables:
                roundings[position, "input", place] = Rounding.of(tensors[number])
        for mine, number in zip(map(int, own.outputs), map(int, other.outputs), strict=True):
            roundings[position, "output", mine] = Rounding.of(tensors[number])
    return {key: rounding for key, rounding in roundings.items() if rounding is not None}


def _rounded(x, rounding):
    """Rounds; the gradient passes where nothing is clipped."""
    low, high = ((limit - rounding.zero_point) * rounding.scale for limit in rounding.limits)
    x = tf.clip_by_value(x, low, high)
    return x + tf.stop_gradient(tf.round(x / rounding.scale) * rounding.scale - x)


def _rounded_kernel(kernel, axis):
    """Rounds each output channel to 255 numbers, symmetric about 0, as ai-edge-quantizer does."""
    others = [i for i in range(len(kernel.shape)) if i != axis]
    largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(kernel), axis=others, keepdims=True), 1e-9))
    scale = largest / 127
    return kernel + tf.stop_gradient(tf.round(kernel / scale) * scale - kernel)
