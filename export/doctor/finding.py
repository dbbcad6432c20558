"""What a rule has to say."""

import dataclasses
from collections import Counter

MOST_NAMES = 3


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that will be in the way.

    Attributes:
        target: str, what it is in the way of, such as `"XNNPACK"`.
        layer: str, the layers that are meant, or the model.
        reason: str.
        mend: str.
    """

    target: str
    layer: str
    reason: str
    mend: str


def names(layers):
    """Returns the names of layers as words; many are counted."""
    layers = list(dict.fromkeys(layers))
    more = len(layers) - MOST_NAMES
    return ", ".join(layers[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def counted(operators):
    """Returns kinds of operators as words, such as `"2 SHAPE, 1 FILL"`."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(o.kind for o in operators).items())


def by_mend(operators, mends, otherwise):
    """Returns pairs of a mend and the operators that it is for, from a dict of mends by kind."""
    found = {}
    for operator in operators:
        found.setdefault(mends.get(operator.kind, otherwise), []).append(operator)
    return found.items()
