"""Draws which operations RandAugment applies to each image, and how strongly.

The operations are those of the paper (https://arxiv.org/abs/1909.13719), identity included. As in timm's
`rand-m9-mstd0.5-inc1`, an operation is drawn with replacement and applied with probability 0.5; its
magnitude is drawn from N(magnitude, 0.5) and clipped to [0, 10]; strength increases with the magnitude;
directions are random. timm's two extra operations (invert, SolarizeAdd) are left out.

Operations on single pixels (autocontrast, equalize, posterize, solarize, brightness, contrast) keep the
order in which they were drawn, and so do the geometric ones. Across kinds the order is fixed: single pixels,
colour, sharpness, geometry. For single pixels and geometry the result equals that of the drawn order, except
that autocontrast, equalize and contrast never count black corners; colour and sharpness do not commute with
the others, so that their fixed place is an approximation. Two colour or two sharpness operations in a row
are one with the product of their factors.
"""

from keras import ops

from keras_vit.training.augmentation.draw import OPERATIONS, Draw, Ranges

UNIFORMS_PER_LAYER = 3  # operation, magnitude, direction

_APPLY_RATE = 0.5
_MAGNITUDE_STD = 0.5
_RANGES = Ranges(enhancement=0.9, shear=0.3, rotation=30, translation=0.45)


def draw(uniforms, augmentation) -> list[Draw]:
    """Draws the operations of each layer from `(batch, randaugment_layers * UNIFORMS_PER_LAYER)` numbers."""
    columns = ops.unstack(uniforms, axis=1) if uniforms.shape[1] else []
    layers = zip(*[iter(columns)] * UNIFORMS_PER_LAYER, strict=True)
    return [_draw_layer(*layer, augmentation.randaugment_magnitude) for layer in layers]


def _draw_layer(operation, magnitude, direction, mean):
    normal = ops.erfinv(ops.clip(2 * magnitude - 1, -0.999999, 0.999999)) * 2**0.5
    level = ops.clip(mean + _MAGNITUDE_STD * normal, 0, 10) / 10
    return Draw(
        operation=ops.floor(operation * (len(OPERATIONS) / _APPLY_RATE)),
        level=level,
        sign=ops.sign(direction - 0.5 + 1e-9),
        bits=ops.maximum(4 - ops.floor(level * 4), 1),
        threshold=256 - ops.floor(level * 256),
        ranges=_RANGES,
    )
