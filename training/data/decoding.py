"""What a recipe says about decoding: the colour under transparent images, the window of 16-bit images."""

import dataclasses

from PIL import ImageColor

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import WHITE, Preprocessing

FULL, OF_DATA = "full", "data"
_HIGHEST = 65_535


def with_decoding(
    preparation: Preprocessing, background: str | None, sixteen_bit: str | None
) -> Preprocessing:
    """Returns a preparation with the colour and the window that fields of a recipe state."""
    color = preparation.background if background is None else color_of(background)
    window = preparation.window if sixteen_bit is None else window_of(sixteen_bit)
    return dataclasses.replace(preparation, background=color, window=window)


def color_of(text: str, name: str = "background") -> tuple[int, int, int]:
    """Returns red, green and blue in [0, 255] of a name or of `#rrggbb`.

    >>> color_of("black"), color_of("#ff8000")
    ((0, 0, 0), (255, 128, 0))
    """
    try:
        return ImageColor.getrgb(text)[:3] if text else WHITE
    except (ValueError, AttributeError) as error:
        raise InputError(
            f"Expected {name} to be a colour such as black or #ff8000, received {text!r}."
        ) from error


def window_of(text: str, name: str = "sixteen_bit") -> tuple[int, int] | None:
    """Returns the lowest and the highest value of a window, or None for all values and for those of the data.

    >>> window_of("0:4095"), window_of("full")
    ((0, 4095), None)
    """
    if text in (FULL, OF_DATA):
        return None
    low, _, high = str(text).partition(":")
    if not (low.isdecimal() and high.isdecimal() and 0 <= int(low) < int(high) <= _HIGHEST):
        raise InputError(
            f"Expected {name} to be full, data or LOW:HIGH from 0 to {_HIGHEST:,}, such as 0:4095, received "
            f"{text!r}."
        )
    return int(low), int(high)
