"""Class names as pictures can show them."""

import collections
import functools

from matplotlib import font_manager

from keras_vit.io.html_page import clean

ELLIPSIS = "\u2026"


def picture_names(label_names, max_length=20, what="class") -> list[str]:
    """Returns short names that the pictures' font can draw.

    A name in a script that the font lacks becomes `what` with its index, as in `"class 3"`; a long one is
    shortened in the middle, and ends in its index where two would look the same.
    """
    names = [_picture_name(clean(name), index, max_length, what) for index, name in enumerate(label_names)]
    counts = collections.Counter(names)
    return [_numbered(name, i, max_length) if counts[name] > 1 else name for i, name in enumerate(names)]


def has_undrawable(label_names):
    """Returns whether a name is shown by its index, because the pictures' font lacks its script."""
    return not all(_is_drawable(clean(name)) for name in label_names)


def _picture_name(name, index, max_length, what):
    if not _is_drawable(name):
        return f"{what} {index}"
    if len(name) <= max_length:
        return name
    tail = (max_length - 1) // 3
    return name[: max_length - 1 - tail].rstrip() + ELLIPSIS + name[-tail:].lstrip()


def _numbered(name, index, max_length):
    tail = f"{ELLIPSIS}{index}"
    return name[: max_length - len(tail)].rstrip(ELLIPSIS) + tail


def _is_drawable(name):
    return bool(name) and all(ord(character) in _characters() for character in name)


@functools.cache
def _characters():
    return set(font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap())
