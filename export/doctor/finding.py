"""What a rule reports."""

import dataclasses
from collections import Counter

from rich.markup import escape
from rich.table import Table

from keras_vit.errors import listed


@dataclasses.dataclass(frozen=True)
class Finding:
    """One obstacle on the way to a phone."""

    target: str  # what it blocks, such as "XNNPACK"
    layer: str  # the layers that cause it, or the model
    reason: str
    fix: str


def findings_table(findings):
    """Returns a `rich.table.Table` with one row per finding."""
    table = Table(box=None, pad_edge=False, collapse_padding=True, padding=(0, 1, 1, 0))
    for heading, ratio in (("for", None), ("layer", 2), ("what", 4), ("fix", 3)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for finding in findings:
        table.add_row(*map(escape, dataclasses.astuple(finding)))
    return table


def names(layers):
    """Returns the first three names of layers as text, and the number of the others."""
    return listed(dict.fromkeys(layers), limit=3)


def counted(operators):
    """Returns the kinds of operators as text, such as `"2 SHAPE, 1 FILL"`."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(o.kind for o in operators).items())


def by_fix(operators, fixes: dict[str, str], otherwise: str):
    """Returns pairs of a fix and the operators that it is for; `fixes` has the fixes of some kinds."""
    groups = {}
    for operator in operators:
        groups.setdefault(fixes.get(operator.kind, otherwise), []).append(operator)
    return groups.items()
