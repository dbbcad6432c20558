"""Findings as text for the terminal."""

from rich.markup import escape
from rich.table import Table


def findings_table(findings):
    """Returns a `rich.table.Table` with one row per finding."""
    table = Table(box=None, pad_edge=False, collapse_padding=True, padding=(0, 1, 1, 0))
    for heading, ratio in (("for", None), ("layer", 2), ("what", 4), ("mend", 3)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for finding in findings:
        table.add_row(*map(escape, (finding.target, finding.layer, finding.reason, finding.mend)))
    return table
