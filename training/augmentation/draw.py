"""What RandAugment and TrivialAugment draw for each image: an operation and its strength."""

import dataclasses

from keras import ops

OPERATIONS = (
    "identity",
    "autocontrast",
    "equalize",
    "posterize",
    "solarize",
    "brightness",
    "contrast",
    "color",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
)


@dataclasses.dataclass(frozen=True)
class Ranges:
    """The greatest strengths of operations, at level 1."""

    enhancement: float  # of brightness, contrast, colour and sharpness: factors from 1 - this to 1 + this
    shear: float
    rotation: float  # degrees
    translation: float = 0.0  # of the image's size
    pixels: float = 0.0  # of translation besides


@dataclasses.dataclass(frozen=True)
class Draw:
    """One operation for each image."""

    operation: object  # float32 (batch,), index into OPERATIONS; an index past its end is none
    level: object  # float32 (batch,) in [0, 1], the strength
    sign: object  # float32 (batch,), -1 or 1
    bits: object  # float32 (batch,), that posterize keeps of 8
    threshold: object  # float32 (batch,), from which on solarize inverts
    ranges: Ranges

    def chosen(self, name):
        """Returns 1 for images with this operation, else 0: float32 `(batch,)`."""
        return ops.cast(ops.equal(self.operation, float(OPERATIONS.index(name))), "float32")

    def amount(self, name, largest):
        """Returns its strength from -largest to largest, 0 for images without it: float32 `(batch,)`."""
        return self.chosen(name) * self.sign * self.level * largest
