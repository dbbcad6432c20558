"""Trains one Vision Transformer with patches of several sizes."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_vit.layers import PatchEmbedding
from keras_vit.models.inspection import find_layer
from keras_vit.models.patch_size import kernel_resizing_matrix, with_patch_size
from keras_vit.pairs import as_pair
from keras_vit.training.shared_weights import SharedWeights


class FlexiblePatches(SharedWeights):
    """A Vision Transformer whose patch size is drawn in each training step.

    In each step the kernel of the patch embedding is resized for the size that was drawn, and the position
    embedding resampled. Which size comes follows from the seed and the number of steps, and is a part of a
    run's state, as the random numbers of dropout are.

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
        super().__init__(model, [with_patch_size(model, size) for size in patch_sizes])
        self.generator = keras.random.SeedGenerator(seed)
        embedding = find_layer(model, PatchEmbedding)
        weights = enumerate(model.trainable_variables)
        self.kernel = next(i for i, weight in weights if weight is embedding.projection.kernel)
        self.matrices = [_matrix(embedding.patch_size, as_pair(size, "patch_size")) for size in patch_sizes]

    def index(self):
        return keras.random.randint((), 0, len(self.matrices), seed=self.generator)

    def prepared(self, number, images, weights):
        matrix, kernel = self.matrices[number], weights[self.kernel]
        (new, old), (inputs, hidden_dim) = matrix.shape, kernel.shape
        channels = inputs // old
        rows = ops.reshape(kernel, (old, channels * hidden_dim))
        rows = ops.matmul(ops.convert_to_tensor(matrix, kernel.dtype), rows)
        weights[self.kernel] = ops.reshape(rows, (new * channels, hidden_dim))
        return images, weights


def _matrix(old, new):
    """`(new pixels, old pixels)` of a flattened patch."""
    by_row, by_column = (kernel_resizing_matrix(*sizes) for sizes in zip(old, new, strict=True))
    return np.kron(by_row, by_column).astype("float32")
