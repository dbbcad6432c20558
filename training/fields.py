"""Fields of dataclasses whose annotations state their limits: `Annotated[int, Range(1, 100)]`."""

import dataclasses
import functools
import typing
from typing import Any

from keras_vit.constraints import check_value, refuse_unused


@functools.cache
def annotations(owner: type) -> dict[str, Any]:
    """Returns a dict from each field of a dataclass to its annotation, with the limits."""
    hints = typing.get_type_hints(owner, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(owner)}


@functools.cache
def defaults(owner: type) -> dict[str, Any]:
    """Returns a dict from each field of a dataclass to its default."""
    return {field.name: field.default for field in dataclasses.fields(owner)}


def check_fields(owner):
    """Checks the fields of an instance of a dataclass."""
    values = {name: getattr(owner, name) for name in annotations(type(owner))}
    for name, annotation in annotations(type(owner)).items():
        check_value(name, values[name], annotation)
    refuse_unused(annotations(type(owner)), values, defaults(type(owner)))
