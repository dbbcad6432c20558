"""Trains one Vision Transformer with patches of several sizes."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_vit.layers import PatchEmbedding
from keras_vit.models.inspection import find_layer
from keras_vit.models.patch_size import kernel_resizing_matrix, with_patch_size
from keras_vit.pairs import as_pair


class FlexiblePatches(keras.Model):
    """A Vision Transformer whose patch size is drawn anew in each training step.

    There is one set of weights, that of `model`: in each step the kernel of its patch embedding is resized
    for the size that was drawn, and its position embedding resampled. Which size comes follows from the seed
    and the number of steps, and is a part of a run's state, as the random numbers of dropout are. Outside of
    training it computes what `model` does.

    Args:
        model: `keras.Model` of `keras_vit.models.vit` with the linear stem; its patch size is that of the
            kernel, which the others are resized from.
        patch_sizes: ints, in pixels.
        seed: int, of the sizes that are drawn.

    Raises:
        InputError: as `keras_vit.models.with_patch_size`.

    Reference: Beyer et al. 2023, https://arxiv.org/abs/2212.08013, algorithm 1
    """

    def __init__(self, model: keras.Model, patch_sizes: Sequence[int], seed: int):
        super().__init__(name=model.name)
        self.model = model
        self.generator = keras.random.SeedGenerator(seed)
        self._resized = _Resized(model, patch_sizes)
        self.built = True

    def call(self, images, training=False):
        if not training:
            return self.model(images, training=False)
        states = self.model.non_trainable_variables  # frozen weights and the seeds
        weights = [ops.convert_to_tensor(weight) for weight in self.model.trainable_variables]
        values = [ops.convert_to_tensor(state) for state in states]
        index = keras.random.randint((), 0, len(self._resized.models), seed=self.generator)
        logits, *changed = ops.switch(index, self._resized.branches(), images, *weights, *values)
        for state, value in zip(states, changed, strict=True):
            state.assign(value)
        return logits

    def compute_output_shape(self, input_shape):
        return self.model.compute_output_shape(input_shape)


class _Resized:
    """The graphs for the sizes, whose own weights are never used; Keras tracks no object of this kind."""

    def __init__(self, model, patch_sizes):
        embedding = find_layer(model, PatchEmbedding)
        self.models = [with_patch_size(model, size) for size in patch_sizes]
        self.kernel = next(
            i for i, weight in enumerate(model.trainable_variables) if weight is embedding.projection.kernel
        )
        self.num_weights = len(model.trainable_variables)
        self.matrices = [_matrix(embedding.patch_size, as_pair(size, "patch_size")) for size in patch_sizes]

    def branches(self):
        return [self._branch(*pair) for pair in zip(self.models, self.matrices, strict=True)]

    def _branch(self, model, matrix):
        def run(images, *values):
            weights, states = list(values[: self.num_weights]), values[self.num_weights :]
            kernel = weights[self.kernel]
            width = kernel.shape[-1]
            channels = kernel.shape[0] // matrix.shape[1]
            rows = ops.reshape(kernel, (matrix.shape[1], channels * width))
            rows = ops.matmul(ops.convert_to_tensor(matrix, kernel.dtype), rows)
            weights[self.kernel] = ops.reshape(rows, (matrix.shape[0] * channels, width))
            logits, changed = model.stateless_call(weights, list(states), images, training=True)
            return logits, *changed

        return run


def _matrix(old, new):
    """`(new pixels, old pixels)` of a flattened patch."""
    by_row, by_column = (kernel_resizing_matrix(*sizes) for sizes in zip(old, new, strict=True))
    return np.kron(by_row, by_column).astype("float32")
