"""Limits of a value, written next to its type: `Annotated[int | None, Range(1, 1000)]`."""

import dataclasses
import types
import typing

from keras_vit.errors import InputError


@dataclasses.dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included.

    Args:
        low, high: int or float.
    """

    low: float
    high: float

    def check(self, name, value):
        """Raises InputError when a value is outside the range."""
        if not self.low <= value <= self.high:
            raise InputError(f"Expected {name} from {self.low:,} to {self.high:,}, received {value}.")


@dataclasses.dataclass(frozen=True, init=False)
class Choices:
    """One of some values.

    Args:
        *values: str or other values that compare.
    """

    values: tuple

    def __init__(self, *values):
        object.__setattr__(self, "values", values)

    def check(self, name, value):
        """Raises InputError when a value is none of them."""
        if value not in self.values:
            raise InputError(f"Expected {name} to be one of {', '.join(self.values)}, received {value!r}.")


def constraints(annotation):
    """Returns what stands next to the type in `Annotated[type, ...]`, a tuple."""
    return getattr(annotation, "__metadata__", ())


def check_value(name, value, annotation):
    """Checks the type of a value and its constraints; `None` has no limits where it is allowed.

    Args:
        name: str, of the value in messages.
        value: any.
        annotation: a type, a union of types, or `Annotated` with one of them and constraints.

    Raises:
        InputError: another type, or outside the limits.

    Example:
        >>> check_value("num_heads", 3, typing.Annotated[int | None, Range(1, 1000)])
    """
    members = _members(annotation)
    if isinstance(value, bool):
        fits = bool in members
    else:
        fits = isinstance(value, members) or (isinstance(value, int) and float in members)
    if not fits:
        received = f"{value!r} ({type(value).__name__})"
        raise InputError(f"Expected {name} to be {_words(members)}, received {received}.")
    for constraint in constraints(annotation):
        if value is not None and hasattr(constraint, "check"):
            constraint.check(name, value)


def parse_value(name, text, annotation):
    """Reads a value from text by its type; `none` is None where that is allowed.

    Args:
        name: str, of the value in messages.
        text: str.
        annotation: as in `check_value`.

    Raises:
        InputError: the text has another type.

    Example:
        >>> parse_value("num_heads", "3", int | None)
        3
    """
    members = _members(annotation)
    if text.lower() == "none" and type(None) in members:
        return None
    words = {"true": True, "false": False}
    if bool in members and text.lower() in words:
        return words[text.lower()]
    for member in (int, float):
        if member in members:
            try:
                return member(text)
            except ValueError:
                continue
    if str in members:
        return text
    raise InputError(f"Expected {name} to be {_words(members)}, received {text!r}.")


def _members(annotation):
    """Returns the classes of a union, of `Annotated`, or of one type; `tuple[int, ...]` counts as `tuple`."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    is_union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
    members = typing.get_args(annotation) if is_union else (annotation,)
    return tuple(typing.get_origin(member) or member for member in members)


def _words(members):
    return " or ".join(member.__name__.replace("NoneType", "none") for member in members)
