"""Draws the one operation that TrivialAugment applies to each image, and how strongly.

Operations, strengths and their 31 steps are those of the wide space of the paper,
https://arxiv.org/abs/2103.10158, as in torchvision's `TrivialAugmentWide`. An image of 32 pixels may be moved
by its whole size, as there.
"""

from keras import ops

from keras_vit.training.augmentation.draw import OPERATIONS, Draw, Ranges

NUM_UNIFORMS = 3  # operation, strength, direction

_STEPS = 31
_RANGES = Ranges(enhancement=0.99, shear=0.99, rotation=135, pixels=32)


def draw(uniforms) -> Draw:
    """Draws the operation of each image from `(batch, NUM_UNIFORMS)` numbers."""
    operation, strength, direction = ops.unstack(uniforms, axis=1)
    level = ops.floor(strength * _STEPS) / (_STEPS - 1)
    return Draw(
        operation=ops.floor(operation * len(OPERATIONS)),
        level=level,
        sign=ops.sign(direction - 0.5 + 1e-9),
        bits=8 - ops.floor(level * 6 + 0.5),
        threshold=255 * (1 - level),
        ranges=_RANGES,
    )
