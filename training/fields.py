"""Fields of dataclasses whose annotations state their limits: `Annotated[int, Range(1, 100)]`."""

import dataclasses
import fnmatch
import functools
import typing

from keras_vit.constraints import check_value, constraints
from keras_vit.errors import InputError


@dataclasses.dataclass(frozen=True, init=False)
class OnlyWith:
    """For a field that has an effect only where another field of its owner has some values.

    Args:
        field: str, name of the other field.
        *values: those values, of str also with a wildcard such as `"folder:*"`. None given: any that is set
            (neither None, 0, False nor empty).
    """

    field: str
    values: tuple

    def __init__(self, field, *values):
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "values", values)

    def holds(self, values):
        """Returns whether the other field has such a value in a dict of all values."""
        value = values[self.field]
        return (
            any(fnmatch.fnmatchcase(str(value), str(v)) for v in self.values) if self.values else bool(value)
        )


@functools.cache
def annotations(owner):
    """Returns a dict from each field of a dataclass to its annotation, with the limits."""
    hints = typing.get_type_hints(owner, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(owner)}


def unused_fields(owner, values):
    """Returns a dict from each field that differs from its default without effect to its `OnlyWith`.

    Args:
        owner: a dataclass.
        values: dict of the values of all its fields.
    """
    return {
        field.name: constraint
        for field in dataclasses.fields(owner)
        for constraint in constraints(annotations(owner)[field.name])
        if isinstance(constraint, OnlyWith)
        and not constraint.holds(values)
        and values[field.name] != field.default
    }


def check_fields(owner):
    """Checks the fields of an instance of a dataclass.

    Raises:
        InputError: a value of another type, outside its limits, or set without having an effect.
    """
    values = {field.name: getattr(owner, field.name) for field in dataclasses.fields(owner)}
    for name, annotation in annotations(type(owner)).items():
        check_value(name, values[name], annotation)
    defaults = {field.name: field.default for field in dataclasses.fields(owner)}
    for name, needed in unused_fields(type(owner), values).items():
        choices = " or ".join(f"{needed.field}={as_text(value)}" for value in needed.values)
        raise InputError(
            f"{needed.field}={as_text(values[needed.field])} has no {name}: leave it out, set "
            f"{name}={as_text(defaults[name])}, or give {choices or needed.field}."
        )


def as_text(value):
    """Returns a value as it is typed in `field=value`."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
