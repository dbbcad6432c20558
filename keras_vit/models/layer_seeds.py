"""One seed for a model becomes one for each of its layers."""

import random


def layer_seeds(seed):
    """Yields a seed for each layer in turn, so that no two of them begin alike.

    Args:
        seed: int, or None: then each layer gets None, which leaves it to `keras.utils.set_random_seed`.
    """
    numbers = random.Random(seed)
    while True:
        yield None if seed is None else numbers.getrandbits(31)
