"""Fills templates of program lines."""

import re
import textwrap
from importlib.resources import files

_PLACE = re.compile(r"^(?P<indent> *)(?P<name>@[A-Z_]+@)$|@[A-Z_]+@", re.MULTILINE)


def filled(name: str, **values) -> str:
    """Returns the template of a name with its places filled; one that has a line to itself may get several.

    >>> "createFromOptions" in filled("kotlin_mediapipe", FILE="model_fp32.tflite", ANSWER="")
    True
    """
    template = (files("keras_vit.export.app.lines") / f"{name}.txt").read_text(encoding="utf-8")

    def value(place):
        text = str(values[place[0].strip().strip("@")])
        return textwrap.indent(text, place["indent"]) if place["name"] else text

    lines = _PLACE.sub(value, template).rstrip().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"
