"""Markdown of model cards."""

from collections.abc import Iterable, Sequence


def table(heading: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Returns a table, a line for each row; bars in its cells are escaped.

    >>> print(table(("file", "size"), [("a|b", 3)]))
    | file | size |
    | --- | --- |
    | a\\|b | 3 |
    """
    lines = [[str(cell).replace("|", r"\|") for cell in row] for row in (heading, *rows)]
    lines.insert(1, ["---"] * len(heading))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
