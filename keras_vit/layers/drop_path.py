"""Drops residual branches at random (stochastic depth)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_vit")
class DropPath(keras.layers.Layer):
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
        ValueError: `rate` is not in [0, 1).

    Reference: Huang et al. 2016, https://arxiv.org/abs/1603.09382
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"Expected rate to be at least 0 and below 1, received {rate}.")
        self.rate = rate
        self.seed = seed
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

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
