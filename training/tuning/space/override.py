"""What the user says of a field of a search: one value, some, or a range."""

import dataclasses
import math

from keras_vit.errors import InputError
from keras_vit.training.recipe import parse_value, split_assignment

_WHOLE = ("data",)  # fields whose text may hold commas and colons of its own


@dataclasses.dataclass(frozen=True)
class Narrowing:
    """Either `values` or a range from `low` to `high`.

    Example:
        >>> Narrowing.parse("num_layers=2:4")
        Narrowing(field='num_layers', values=None, low=2, high=4)
        >>> Narrowing.parse("stem=linear,conv").values
        ('linear', 'conv')
    """

    field: str
    values: tuple | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def parse_all(cls, assignments):
        """Reads assignments into a dict from a field to its Narrowing; of one field the last counts."""
        narrowings = map(cls.parse, assignments)
        return {narrowing.field: narrowing for narrowing in narrowings}

    @classmethod
    def parse(cls, assignment):
        """Reads `field=value`, `field=a,b` or `field=low:high`.

        Raises:
            InputError: another form, an unknown field, a value of another type, or an empty range.
        """
        field, text = split_assignment(assignment)
        if field in _WHOLE:
            return cls(field, (text,))
        low, colon, high = text.partition(":")
        if colon and _is_number(low) and _is_number(high):
            return cls._range(field, parse_value(field, low), parse_value(field, high))
        values = tuple(dict.fromkeys(parse_value(field, part) for part in text.split(",")))
        if len(values) > 1 and None in values:
            raise InputError(f"{field}=none can be fixed, but not searched beside other values.")
        return cls(field, values)

    @classmethod
    def _range(cls, field, low, high):
        if isinstance(low, str) or not -math.inf < low < high < math.inf:
            raise InputError(f"Expected {field}=LOW:HIGH with LOW below HIGH, received {low}:{high}.")
        return cls(field, None, low, high)

    @property
    def fixes(self):
        """Whether it leaves one value only."""
        return self.values is not None and len(self.values) == 1

    def choices(self, offered):
        """Returns what remains of some values: those that were named, or those within the range.

        Raises:
            InputError: none of them is within the range.
        """
        if self.values is not None:
            return list(self.values)
        remaining = [value for value in offered if self.low <= value <= self.high]
        if not remaining:
            raise InputError(
                f"{self.field} is one of {', '.join(map(str, offered))}: none is from {self.low:g} to "
                f"{self.high:g}. Name the values to try: {self.field}={self.low:g},{self.high:g}."
            )
        return remaining


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
