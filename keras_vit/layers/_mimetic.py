"""First weights of self-attention that resemble trained ones."""

import random

import keras
import numpy as np

QUERY_KEY = 0.7, 0.7  # noise and identity
VALUE_PROJECTION = 0.4, -0.4


@keras.saving.register_keras_serializable(package="keras_vit")
class MimeticInitializer(keras.initializers.Initializer):
    """Draws the kernel of queries, keys and values, and that of the projection, which belongs to it.

    In trained transformers the product of a head's query and key matrices resembles the identity, and that
    of the value and projection matrices its negative. Here each is such a product: `a Z + b I`, with Z of
    normal numbers of variance `1 / hidden_dim`, split by its singular values; of the first product, which
    each head has of its own, the `head_dim` largest. It was published for networks that are trained on little
    data, with sin-cos positions. The two kernels are drawn from the same seed.

    Args:
        num_heads: int.
        seed: int or None: then it is drawn by Python's `random`, as Keras does.

    Reference: Trockman and Kolter 2023, https://arxiv.org/abs/2305.09828, section 3 and appendix A
    """

    def __init__(self, num_heads, seed=None, projection=False):
        self.num_heads, self.projection = num_heads, projection
        self.seed = random.randint(1, int(1e9)) if seed is None else seed

    def of_projection(self):
        """Returns the initializer of the projection to this one's values."""
        return type(self)(self.num_heads, self.seed, projection=True)

    def __call__(self, shape, dtype=None):
        hidden_dim = shape[0]
        generator = np.random.default_rng(self.seed)
        value, projection = _factors(generator, hidden_dim, *VALUE_PROJECTION)
        if self.projection:
            return keras.ops.convert_to_tensor(projection.T, dtype=dtype)
        head_dim = hidden_dim // self.num_heads
        heads = [_factors(generator, hidden_dim, *QUERY_KEY) for _ in range(self.num_heads)]
        query, key = (np.concatenate([head[i][:, :head_dim] for head in heads], axis=1) for i in (0, 1))
        return keras.ops.convert_to_tensor(np.concatenate([query, key, value], axis=1), dtype=dtype)

    def get_config(self):
        return {"num_heads": self.num_heads, "seed": self.seed, "projection": self.projection}


def _factors(generator, size, noise, identity):
    """Two matrices `(size, size)` with `first @ second.T` as drawn; greater singular values come first."""
    product = noise * generator.normal(size=(size, size)) / np.sqrt(size) + identity * np.eye(size)
    left, values, right = np.linalg.svd(product)
    return left * np.sqrt(values), right.T * np.sqrt(values)
