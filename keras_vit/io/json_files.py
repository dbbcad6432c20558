"""Writes JSON atomically and checks it when reading."""

import json
import math
import os
import re

from keras_vit.errors import InputError, first_line
from keras_vit.io.files import read_bytes, write_text

_NUMBERS = re.compile(r"(?<=\[)\n[\s\d.,eE+-]+(?=\])")  # strings contain no raw line ends


def write_json(path: str | os.PathLike, value):
    """Writes `value` as `json_text` gives it, atomically."""
    write_text(path, json_text(value))


def json_text(value) -> str:
    """Returns `value` as indented JSON, lists of numbers on one line; NaN and infinity are a ValueError."""
    text = json.dumps(value, indent=2, allow_nan=False)
    return _NUMBERS.sub(lambda found: " ".join(found[0].split()), text) + "\n"


def read_json(path: str | os.PathLike, kind: type = object):
    """Reads a JSON file, whose value has to be a `kind`, such as dict."""
    return parse_json(read_bytes(path, "a JSON file"), path, kind)


def parse_json(content: bytes, name, kind: type = object):
    """Parses JSON; `name` is its name in errors. NaN, infinity and duplicate fields are refused."""
    try:
        value = json.loads(
            content.decode("utf-8"),
            parse_constant=finite_number,
            parse_float=finite_number,
            object_pairs_hook=_unique_fields,
        )
    except (ValueError, RecursionError) as error:  # also for bad UTF-8 and for huge numbers
        raise InputError(f"Expected JSON in {name}, but it cannot be read: {first_line(error)}.") from error
    if not isinstance(value, kind):
        words = {dict: "an object", list: "a list"}
        raise InputError(
            f"Expected {words[kind]} in {name}, received {words.get(type(value), 'another value')}."
        )
    return value


def finite_number(text: str) -> float:
    """Converts text to a float, or raises ValueError for NaN, infinity and text that is not a number."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is not a finite number")
    return value


def _unique_fields(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a field appears twice")
    return value
