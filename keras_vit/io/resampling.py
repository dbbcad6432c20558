"""Resizes a part of an image with antialiased bilinear interpolation, by the fastest library there is."""

import math
import threading

import numpy as np
from PIL import Image

try:
    import cykooz_resizer
except ImportError:  # no wheel for this platform
    cykooz_resizer = None

_own = threading.local()  # a resizer has buffers, so each thread needs one


def resize_part(image: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int]):
    """Returns the part `box` (left, top, right, bottom) of an image, of another size, as Pillow does.

    The pixels are Pillow's, or where cykooz-resizer is installed, at most one grey level from them. Pixels
    that lie entirely outside of the part have no influence.
    """
    left, top, right, bottom = box
    x, y = int(left), int(top)
    part = image[y : math.ceil(bottom), x : math.ceil(right)]
    box = (left - x, top - y, right - x, bottom - y)
    if image.shape[-1] == 3:
        return _resized(part, box, size)
    return np.stack([_resized(channel, box, size) for channel in np.moveaxis(part, -1, 0)], axis=-1)


def _resized(image, box, size):
    """`resize_part` of an image of `(height, width)` or `(height, width, 3)`."""
    if cykooz_resizer is None:
        resized = Image.fromarray(np.ascontiguousarray(image)).resize(
            size[::-1], Image.Resampling.BILINEAR, box=box
        )
        return np.asarray(resized)
    if not hasattr(_own, "resizer"):
        _own.resizer = cykooz_resizer.Resizer()
    kind = cykooz_resizer.PixelType.U8 if image.ndim == 2 else cykooz_resizer.PixelType.U8x3
    left, top, right, bottom = box
    options = cykooz_resizer.ResizeOptions(
        cykooz_resizer.ResizeAlg.convolution(cykooz_resizer.FilterType.bilinear),
        crop_box=cykooz_resizer.CropBox(left, top, right - left, bottom - top),
    )
    source = cykooz_resizer.ImageData(image.shape[1], image.shape[0], kind, image.tobytes())
    target = cykooz_resizer.ImageData(size[1], size[0], kind)
    _own.resizer.resize(source, target, options)
    return np.frombuffer(target.get_buffer(), np.uint8).reshape(*size, *image.shape[2:])
