"""Trains a Vision Transformer on small images first, and on larger ones step by step."""

import keras
from keras import ops

from keras_vit.errors import InputError
from keras_vit.layers import PatchEmbedding
from keras_vit.models.image_size import with_image_size
from keras_vit.models.inspection import find_layer
from keras_vit.training.shared_weights import SharedWeights

MAX_STAGES = 4


class ProgressiveSize(SharedWeights):
    """A Vision Transformer that sees its training images small at first, and at last in their size.

    A training has up to four stages of equally many steps. In each but the last the images of a batch are
    made smaller, bilinearly and antialiased, after all augmentation; learned positions are resampled. The
    number of steps is a part of a run's state.

    Args:
        model: `keras.Model` of `keras_vit.models.vit`.
        first_size: int, pixels of the shorter side at the start, rounded to whole patches.
        num_steps: int, of the whole training.

    Raises:
        InputError: the model takes no other image size; `first_size` leaves no smaller one.

    Reference: Tan and Le 2021, section 4.2, https://arxiv.org/abs/2104.00298; for Vision Transformers:
        Touvron et al. 2022, section 3.2, https://arxiv.org/abs/2204.07118
    """

    def __init__(self, model: keras.Model, first_size: int, num_steps: int):
        sizes = image_sizes(model, first_size)
        super().__init__(model, [with_image_size(model, size) for size in sizes])
        self.sizes, self.num_steps = sizes, num_steps
        self.step = self.add_weight((), "zeros", "int32", trainable=False, name="step")

    def index(self):
        stage = ops.minimum(self.step * len(self.sizes) // self.num_steps, len(self.sizes) - 1)
        self.step.assign(self.step + 1)
        return stage

    def prepared(self, number, images, weights):
        if number == len(self.sizes) - 1:
            return images, weights
        images = ops.cast(images, "float32")
        small = ops.image.resize(
            images, self.sizes[number], "bilinear", antialias=True, data_format="channels_last"
        )
        return small, weights


def image_sizes(model: keras.Model, first_size: int) -> list[tuple[int, int]]:
    """Returns the `(height, width)` of each stage, from the first one to the model's own."""
    embedding, full = find_layer(model, PatchEmbedding), model.input_shape[1:3]
    if embedding is None:
        raise InputError(
            f"progressive_size needs a model that takes images of any size, such as vit; {model.name!r} "
            f"takes {full[0]} x {full[1]} alone. Set progressive_size=none."
        )
    patch = embedding.patch_size
    stages = []
    for stage in range(MAX_STAGES):
        shorter = first_size + (min(full) - first_size) * stage / (MAX_STAGES - 1)
        grid = [round(side * shorter / min(full) / pixels) for side, pixels in zip(full, patch, strict=True)]
        stages.append(tuple(max(count, 1) * pixels for count, pixels in zip(grid, patch, strict=True)))
    sizes = list(dict.fromkeys([*stages[:-1], tuple(full)]))
    if first_size >= min(full) or len(sizes) < 2:
        raise InputError(
            f"Expected progressive_size below the images' {min(full)} pixels by at least a patch "
            f"({max(patch)}), received {first_size}."
        )
    return sizes
