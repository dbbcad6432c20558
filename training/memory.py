"""Whether a training fits into memory: said before it starts, not by the system that ends it."""

from pathlib import Path

import keras

from keras_vit.layers import TransformerEncoder
from keras_vit.models.inspection import find_layer

MEMINFO, CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
# Measured (peaks of two batch sizes, patches 8 and 16 at 224): what a number takes that the backward pass
# keeps, and how much more is needed at the peak.
BYTES = {"float32": 4, "mixed_bfloat16": 3}
AT_PEAK = 1.25
BYTES_PER_WEIGHT = 16  # itself, its gradient, two moments


def training_bytes(model: keras.Model, batch_size: int) -> float | None:
    """Returns about how many bytes the training of a Vision Transformer needs, or None of another model."""
    encoder = _encoder(model)
    if encoder is None:
        return None
    _, length, hidden_dim = encoder.input.shape
    kept = 0
    for tokens in encoder.lengths(length):
        scores = 2 * encoder.num_heads * tokens**2  # before and after the softmax
        kept += batch_size * (scores + tokens * (10 * hidden_dim + 3 * encoder.mlp_dim))
    per_number = BYTES.get(encoder.dtype_policy.name, 4)
    return AT_PEAK * per_number * kept + BYTES_PER_WEIGHT * model.count_params()


def memory_hint(model: keras.Model, batch_size: int, available: float | None = None) -> str | None:
    """Returns a line on tokens and memory where a training on processors may not fit, otherwise None.

    `available` is in bytes, by default what this machine has.
    """
    available = available_bytes() if available is None else available
    needed = training_bytes(model, batch_size)
    if None in (needed, available) or needed <= available:
        return None
    tokens, (height, width) = _encoder(model).input.shape[1], model.input_shape[1:3]
    return (
        f"An image of {height} x {width} makes {tokens} tokens: a batch of {batch_size} needs about "
        f"{needed / 1e9:.1f} GB, {available / 1e9:.1f} GB are free. Choose a smaller batch_size or "
        "image_size, or larger patches (patch_size, variant)."
    )


def _encoder(model):
    """The encoder of a Vision Transformer, which may be inside another model that normalizes images."""
    models = [model, *(layer for layer in model.layers if isinstance(layer, keras.Model))]
    return next(filter(None, (find_layer(each, TransformerEncoder) for each in models)), None)


def available_bytes() -> float | None:
    """Returns the free memory of the machine or its container; None where a GPU trains or it is not known."""
    names = [] if keras.backend.backend() == "torch" else keras.distribution.list_devices()
    return None if any("gpu" in name.casefold() for name in names) else free_memory()


def free_memory() -> float | None:
    """Returns the free memory of the machine or its container in bytes, or None where it is not known."""
    try:
        lines = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit, used = ((CGROUP / name).read_text() for name in ("memory.max", "memory.current"))
        return min(free, int(limit) - int(used))
    except (OSError, ValueError):  # no container, or one without a limit
        return free
