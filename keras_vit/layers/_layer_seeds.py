"""One seed for a model, layer or initializer becomes one for each layer inside."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import keras


def layer_seeds(seed: int | None) -> Iterator[int | None]:
    """Yields a different seed for each layer; None, which leaves it to Keras, where `seed` is None."""
    numbers = random.Random(seed)
    while True:
        yield None if seed is None else numbers.getrandbits(31)


def reseeded(initializer: Any, layer_name: str) -> Any:
    """Returns an initializer for one layer; without its own seed it would draw equal kernels for all."""
    if isinstance(initializer, Mapping):
        initializer = keras.initializers.get(dict(initializer))
    config = getattr(initializer, "get_config", dict)()
    if "seed" not in config:
        return initializer
    if isinstance(config["seed"], int):
        config["seed"] = random.Random(f"{config['seed']}/{layer_name}").getrandbits(31)
    elif config["seed"] is not None:  # a SeedGenerator, which draws differently each time
        return initializer
    return initializer.from_config(config)
