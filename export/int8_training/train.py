"""Teaches the weights of a TFLite file to give the same outputs when all of it is int8."""

import dataclasses
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.export.images.app_input import as_taken
from keras_vit.export.int8_training.graph import TrainableGraph
from keras_vit.export.tflite.graph import read_graph, write_graph
from keras_vit.export.tflite.named import NamedInterpreter

SMALLEST_VARIANCE = 1e-12
REPORTED = 10  # steps from one line of progress to the next
MOST_ITEMS = 8192  # of an epoch
CHECKED = 128  # items, at most a fifth, that are not trained on and show whether training helped


@dataclasses.dataclass(frozen=True)
class Int8Training:
    """How the weights of a static int8 file are trained for its rounding (quantization-aware).

    The file learns to return what the model returns in float32, so that no labels are needed. Ranges of
    activations are those of the calibration, scales of weights follow from the weights: the file computes
    what training saw. Up to 128 items, at most a fifth, are not trained on: where the error of these does not
    fall, the weights stay as they were, and a line says so.

    Args:
        inputs: as those of `export_model`, such as the training data, some thousand items.
        epochs: int, passes over the inputs, at least 1. Default: 1.
        max_items: int, how many of them an epoch has at most, at least 1: a random choice, another one in
            each epoch. None for all. Default: 8192.
        learning_rate: float, of Adam at the start, relative to the size of a weight; it falls to 0 by a
            cosine. Default: 1e-4; with 1e-3 a file moves away from its model first.
        batch_size: int, items of a step, at least 1. Default: 32.

    Raises:
        InputError: a number that is out of range.

    Example:
        >>> import numpy as np
        >>> Int8Training(np.zeros((64, 8, 8, 1), "uint8"), epochs=2).learning_rate
        0.0001
    """

    inputs: Any
    epochs: int = 1
    max_items: int | None = MOST_ITEMS
    learning_rate: float = 1e-4
    batch_size: int = 32

    def __post_init__(self):
        smallest = min(self.epochs, self.batch_size, 1 if self.max_items is None else self.max_items)
        if smallest < 1 or not self.learning_rate > 0:
            raise InputError(
                "Expected epochs, max_items and batch_size of at least 1, a learning_rate above 0, received "
                f"{self.epochs}, {self.max_items}, {self.batch_size} and {self.learning_rate}."
            )


def train(content, quantized, training, progress=None):
    """Trains the weights of a float32 file.

    Args:
        content: bytes of the float32 file, of a batch of one.
        quantized: bytes of the same file in static int8.
        training: Int8Training whose inputs are a dict of arrays by name.
        progress: function of a text, or None.

    Returns:
        Bytes of the float32 file with the trained weights, or None where these do no better on the items that
        were not trained on.

    Raises:
        ConditionError: the file has an operator that int8 training does not know.
    """
    graph = TrainableGraph(read_graph(content), read_graph(quantized))
    batches = _Batches(content, training)
    schedule = keras.optimizers.schedules.CosineDecay(training.learning_rate, batches.steps)
    optimizer = keras.optimizers.Adam(schedule)
    variables = [weight.variable for weight in dict.fromkeys(graph.variables.values())]
    optimizer.build(variables)

    @tf.function
    def step(inputs):
        expected = graph(*inputs, rounded=False)
        with tf.GradientTape() as tape:
            loss = _loss(graph, graph(*inputs), expected)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    @tf.function
    def error(inputs):
        return _loss(graph, graph(*inputs), graph(*inputs, rounded=False))

    before = batches.mean(error)
    built = None  # when the first step had built the function
    for number, inputs in enumerate(batches):
        loss = float(step(inputs))
        now = time.perf_counter()
        built = built or now
        if progress and number % REPORTED == 0:
            left = _left((now - built) / number * (batches.steps - number - 1)) if number else ""
            progress(f"int8 training, step {number + 1} of {batches.steps}, loss {loss:.2g}{left}")
    after = batches.mean(error)
    if progress:
        kept = "" if after < before else "; the weights stay as they were"
        progress(
            f"int8 training, error of items not trained on: {before:.2g} before, {after:.2g} after{kept}"
        )
    return _with_weights(content, graph.variables) if after < before else None


def items_of_epoch(training: Int8Training) -> int:
    """Returns how many items an epoch has, of inputs that are a dict of arrays by name."""
    rows, _ = _trained_and_checked(len(next(iter(training.inputs.values()))))
    return min(len(rows), training.max_items or len(rows))


def _trained_and_checked(count):
    """The rows that are trained on, and those that are checked: of a few items both are all of them."""
    checked = np.linspace(0, count - 1, min(CHECKED, count // 5) or count).astype(int)
    rest = np.setdiff1d(np.arange(count), checked)
    return rest if len(rest) else checked, checked


def _left(seconds):
    return f", {seconds / 60:.0f} min left" if seconds >= 60 else f", {seconds:.0f} s left"


class _Batches:
    """The inputs of each step, in the order and with the types of the file's inputs."""

    def __init__(self, content, training):
        self.arrays, self.size = training.inputs, training.batch_size
        self.tensors = NamedInterpreter(content).inputs
        self.order = [int(number) for number in read_graph(content).subgraphs[0].inputs]
        self.rows, self.checked = _trained_and_checked(len(next(iter(self.arrays.values()))))
        self.epochs = training.epochs
        self.used = items_of_epoch(training)
        self.steps = training.epochs * -(-self.used // self.size)

    def __iter__(self):
        random = np.random.default_rng(0)
        for _ in range(self.epochs):
            yield from self._batches(random.permutation(self.rows)[: self.used])

    def mean(self, function):
        """Returns the mean of a function over the batches that are checked."""
        return float(np.mean([float(function(batch)) for batch in self._batches(self.checked)]))

    def _batches(self, rows):
        for start in range(0, len(rows), self.size):
            # The last batch is filled up, so that all have one shape.
            yield self._batch(np.resize(rows[start : start + self.size], self.size))

    def _batch(self, rows):
        given = {
            tensor["index"]: as_taken(np.asarray(self.arrays[name][rows]), tensor["shape"], tensor["dtype"])
            for name, tensor in self.tensors.items()
        }
        return [tf.constant(given[number]) for number in self.order]


def _loss(graph, answers, expected):
    """Divergence from the expected probabilities; of other outputs the error relative to their variance."""
    total = 0.0
    for answer, target, is_logits in zip(answers, expected, graph.are_logits, strict=True):
        if is_logits:
            log_ratio = tf.nn.log_softmax(target) - tf.nn.log_softmax(answer)
            total += tf.reduce_mean(tf.reduce_sum(tf.nn.softmax(target) * log_ratio, axis=-1))
        else:
            variance = tf.math.reduce_variance(target) + SMALLEST_VARIANCE
            total += tf.reduce_mean(tf.square(answer - target)) / variance
    return total


def _with_weights(content, weights):
    model = read_graph(content)
    graph = model.subgraphs[0]
    for (position, place), weight in weights.items():
        tensor = graph.tensors[int(graph.operators[position].inputs[place])]
        model.buffers[tensor.buffer].data = np.frombuffer(weight.value().numpy().tobytes(), "uint8")
    return write_graph(model)
