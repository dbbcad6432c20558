"""One seed for a model or layer becomes one for each random layer inside."""

import random
from collections.abc import Iterator


def layer_seeds(seed: int | None) -> Iterator[int | None]:
    """Yields a different seed for each layer.

    Args:
        seed: int, or None: then each layer gets None, which leaves it to `keras.utils.set_random_seed`.
    """
    numbers = random.Random(seed)
    while True:
        yield None if seed is None else numbers.getrandbits(31)
