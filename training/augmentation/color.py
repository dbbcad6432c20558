"""The drawn operations on colours."""

from keras import ops

from keras_vit.training.augmentation.draw import Draw
from keras_vit.training.augmentation.lookup_table import build_tables, look_up

_LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow


def change_colors(images, draws: list[Draw]):
    """Applies the colour operations that were drawn to images of 1 or 3 channels; returns float32."""
    pixels = ops.cast(images, "int32")
    images = look_up(build_tables(pixels, draws, gray_weights(images.shape[-1])), pixels)
    if images.shape[-1] == 3:
        images = saturate(images, ops.reshape(_change(draws, "color"), (-1, 1, 1)))
    images = _sharpen(images, ops.reshape(_change(draws, "sharpness"), (-1, 1, 1, 1)))
    return ops.clip(images, 0, 255)


def gray_weights(channels):
    """Returns the weight of each channel in the grey value of a pixel, `(channels,)`."""
    return _LUMA if channels == 3 else (1 / channels,) * channels


def _change(draws, name):
    factor = 1.0
    for drawn in draws:
        factor = factor * (1 + drawn.amount(name, drawn.ranges.enhancement))
    return factor - 1


def saturate(images, change):
    """Returns `x + change * (x - gray)` of RGB images, for a change `(batch, 1, 1)`."""
    # As a 3 x 3 matrix for each image.
    identity = ops.eye(3, dtype="float32")
    from_gray = identity - ops.reshape(ops.convert_to_tensor(_LUMA, dtype="float32"), (3, 1))
    _, height, width, _ = images.shape
    pixels = ops.matmul(ops.reshape(images, (-1, height * width, 3)), identity + change * from_gray)
    return ops.reshape(pixels, (-1, height, width, 3))


def _sharpen(images, change):
    # The difference to Pillow's SMOOTH (weights 5 for the centre, 1 for its 8 neighbours; borders unchanged).
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    box = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    detail = (images[:, 1:-1, 1:-1] * 9 - box) * (change / 13)
    return images + ops.pad(detail, ((0, 0), (1, 1), (1, 1), (0, 0)))
