"""Decodes JPEGs to the pixels that Pillow gives, in half the time."""

import numpy as np
import simplejpeg
from PIL import Image, JpegImagePlugin
from PIL.ExifTags import Base

_DAMAGE = "Corrupt JPEG data"  # as libjpeg begins its warnings of what it goes on after
_TURNED = {  # by the orientation of EXIF, as Pillow's ImageOps.exif_transpose does
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels),
}


def decode_jpeg(
    image: Image.Image, data: bytes, factor: int = 1, channels: int = 3
) -> tuple[np.ndarray | None, str]:
    """Decodes a JPEG, upright, at `1 / factor` of its size.

    Returns:
        uint8 `(height, width, channels)`, or None where Pillow has to decode: another format or colour space,
        or a file that is not as it should be. And the damage that the decoder found, or `""`: Pillow decodes
        such a file as far as it can, without a word.
    """
    is_grey = image.mode == "L"
    is_read = is_grey or image.mode == "RGB" and channels == 3
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or not is_read:
        return None, ""
    width, height = (side // factor for side in image.size)
    space = "GRAY" if is_grey else "RGB"
    try:
        pixels = simplejpeg.decode_jpeg(data, space, min_height=height, min_width=width)
    except ValueError as error:
        return None, str(error) if str(error).startswith(_DAMAGE) else ""
    if pixels.shape[:2] != (height, width):
        return None, ""
    if is_grey and channels == 3:
        pixels = np.repeat(pixels, 3, axis=2)
    turn = _TURNED.get(image.getexif().get(Base.Orientation))
    return pixels if turn is None else np.ascontiguousarray(turn(pixels)), ""
