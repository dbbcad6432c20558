"""Fields of dataclasses whose annotations state their limits: `Annotated[int, Range(1, 100)]`."""

import dataclasses
import fnmatch
import functools
import typing
from collections.abc import Mapping
from typing import Any

from keras_vit.constraints import check_value, constraints
from keras_vit.errors import InputError


class OnlyWith:
    """For a field that has an effect only where another field of its owner has one of some values.

    Of str also with a wildcard such as `"folder:*"`. Without values: where it is not None, 0, False or empty.
    """

    def __init__(self, field: str, *values: Any):
        self.field, self.values = field, values

    def holds(self, values):
        """Returns whether the other field has such a value in a dict of all values."""
        value = values[self.field]
        if not self.values:
            return bool(value)
        return any(fnmatch.fnmatchcase(str(value), str(choice)) for choice in self.values)

    @property
    def wanted(self) -> str:
        """What to set, in words."""
        return " or ".join(f"{self.field}={as_text(value)}" for value in self.values) or self.field


class OnlyWithOneOf(OnlyWith):
    """For a field that has an effect only where one of several others is not None, 0, False or empty."""

    def __init__(self, *fields: str):
        super().__init__(fields[0])
        self.fields = fields

    def holds(self, values):
        return any(values[field] for field in self.fields)

    @property
    def wanted(self):
        return " or ".join(self.fields)


@functools.cache
def annotations(owner: type) -> dict[str, Any]:
    """Returns a dict from each field of a dataclass to its annotation, with the limits."""
    hints = typing.get_type_hints(owner, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(owner)}


def unused_fields(owner: type, values: Mapping[str, Any]) -> dict[str, OnlyWith]:
    """Returns the fields of a dataclass whose values differ from the default but have no effect."""
    return {
        field.name: constraint
        for field in dataclasses.fields(owner)
        for constraint in constraints(annotations(owner)[field.name])
        if isinstance(constraint, OnlyWith)
        and not constraint.holds(values)
        and values[field.name] != field.default
    }


def check_fields(owner):
    """Checks the fields of an instance of a dataclass."""
    values = {field.name: getattr(owner, field.name) for field in dataclasses.fields(owner)}
    for name, annotation in annotations(type(owner)).items():
        check_value(name, values[name], annotation)
    defaults = {field.name: field.default for field in dataclasses.fields(owner)}
    for name, needed in unused_fields(type(owner), values).items():
        raise InputError(
            f"{needed.field}={as_text(values[needed.field])} has no {name}: leave it out, set "
            f"{name}={as_text(defaults[name])}, or give {needed.wanted}."
        )


def as_text(value):
    """Formats a value as typed in `field=value`."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
