"""What the user changes of a field of a search: one value, some, or a range."""

import dataclasses
import math
from collections.abc import Sequence

from keras_vit.constraints import parse_value
from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe, assignment_types, fields_offered, split_assignment

_LITERAL = {"data", "image_column", "label_column", "split_column", "weight_column", "group", "sixteen_bit"}
_LITERAL |= {"monitor", "flexible_patches"}  # fields whose text may contain commas and colons


@dataclasses.dataclass(frozen=True)
class SpaceOverride:
    """Either `values` or a range from `low` to `high`.

    Example:
        >>> from keras_vit.training import ImageRecipe
        >>> types = ImageRecipe.types("vit")
        >>> SpaceOverride.parse("num_layers=2:4", types)
        SpaceOverride(field='num_layers', values=None, low=2, high=4)
        >>> SpaceOverride.parse("stem=linear,conv", types).values
        ('linear', 'conv')
    """

    field: str
    values: tuple | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def parse_all(cls, assignments: Sequence[str], recipe: Recipe) -> dict[str, "SpaceOverride"]:
        """Parses assignments; the last one of a field counts."""
        types = assignment_types(recipe, assignments)
        offered = fields_offered(recipe, assignments)
        return {o.field: o for o in (cls.parse(assignment, types, offered) for assignment in assignments)}

    @classmethod
    def parse(cls, assignment: str, types: dict, offered: dict | None = None) -> "SpaceOverride":
        """Parses `field=value`, `field=a,b` or `field=low:high`; `types` maps fields to annotations."""
        field, text = split_assignment(assignment, types, offered)
        if field in _LITERAL or field == "class_weight" and ":" in text:
            return cls(field, (parse_value(field, text, types[field]),))
        low, colon, high = text.partition(":")
        if colon and _is_number(low) and _is_number(high):
            return cls._range(field, *(parse_value(field, end, types[field]) for end in (low, high)))
        values = tuple(dict.fromkeys(parse_value(field, part, types[field]) for part in text.split(",")))
        if len(values) > 1 and None in values:
            raise InputError(f"{field}=none can be fixed, but not searched together with other values.")
        if len({isinstance(value, bool) for value in values}) > 1:
            raise InputError(
                f"{field}={text} mixes true or false with other values, which a search does not: name "
                "values of one kind, or fix one."
            )
        return cls(field, values)

    @classmethod
    def _range(cls, field, low, high):
        if isinstance(low, str) or not -math.inf < low < high < math.inf:
            raise InputError(f"Expected {field}=LOW:HIGH with LOW below HIGH, received {low}:{high}.")
        return cls(field, None, low, high)

    @property
    def fixes(self):
        """Whether it leaves only one value."""
        return self.values is not None and len(self.values) == 1

    def choices(self, offered):
        """Returns the values that were named, or those of `offered` that are within the range."""
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
