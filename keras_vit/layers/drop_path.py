"""Drops residual branches at random (stochastic depth)."""

from typing import Unpack

import keras
from keras import ops

from keras_vit.constraints import checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import LayerOptions, RateBelowOne, Seed


@keras.saving.register_keras_serializable(package="keras_vit")
class DropPath(ConfiguredLayer):
    """In training, sets whole samples to zero at random and scales the others to keep the mean.

    Args:
        rate: float in [0, 1), probability that a sample is dropped.
        seed: int or None, for a reproducible choice.

    Call arguments:
        x: `(batch, ...)`.
        training: bool. Outside training the layer is the identity.

    Returns:
        Like `x`.

    Raises:
        InputError: `rate` is not in [0, 1).

    Example:
        >>> y = DropPath(0.5, seed=0)(ops.ones((100, 3)), training=True)
        >>> sorted({float(value) for value in ops.convert_to_numpy(y).ravel()})
        [0.0, 2.0]

    Reference: Huang et al. 2016, https://arxiv.org/abs/1603.09382
    """

    axes = ("batch", "...")

    @checked
    def __init__(self, rate: RateBelowOne, seed: Seed = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(locals())
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        pass

    def call(self, x, training=False):
        if not training or self.rate == 0:
            return x
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        uniform = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        kept = ops.cast(uniform >= self.rate, x.dtype)
        return x * kept * (1 / (1 - self.rate))
