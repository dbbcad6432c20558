"""The results of an export as a table for the terminal."""

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from keras_vit.export.verification.choose import NOT_VERIFIED
from keras_vit.io.figures import size_words

MOSTLY = 0.9  # of the weights
MOST_LETTERS = 16  # of the name of an output


def results_table(rows, columns):
    """Returns the rows of an export with a `ModelExport`'s columns, for rich's console.

    Reasons stand in lines below.
    """
    table = Table(box=None, pad_edge=False, collapse_padding=True)  # fits 80 columns
    for heading in ("variant", "size", *(_metric(rows) if name == "score" else name for name in columns)):
        table.add_column(heading, justify="left" if heading == "variant" else "right", no_wrap=True)
    table.add_column("", overflow="fold")
    named, below = {}, []  # metrics of outputs, which one line of each output has
    for row in rows:
        figures = ["-"] * (1 + len(columns))
        if "size" in row:
            figures = [size_words(row["size"]), *(_figure(show, row) for show in columns.values())]
        state, more = _result(row)
        if more:
            below.append(escape(f"{row['variant']}: {more}"))
        table.add_row(row["variant"], *figures, state)
        for name, output in _scored_outputs(row):
            figures = (_figure(show, output, unknown="") for show in columns.values())
            metric = "" if name in named else named.setdefault(name, output.get("metric", ""))
            table.add_row(escape(f"  {_shortened(name)}"), "", *figures, metric)
    return Group(table, *below)


def _metric(rows):
    """What the scores are: their metric where all rows have the same one, of a short name."""
    names = {row["metric"] for row in rows if "metric" in row}
    return names.pop() if len(names) == 1 and len(min(names)) <= MOST_LETTERS else "score"


def _scored_outputs(row):
    """Returns what is known of each output of a file, where it has several, and labels of one or more."""
    outputs = row.get("outputs") or {}
    return outputs.items() if any("score" in output for output in outputs.values()) else ()


def _shortened(name):
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _figure(show, row, unknown="-"):
    try:
        return show(row)
    except KeyError:  # of a file that was timed only
        return unknown


def _result(row):
    """The status, such as verified or, with `auto`, kept; and why a file failed or what is special in it."""
    if row["failure"]:
        return NOT_VERIFIED if row["failure"].startswith(NOT_VERIFIED) else "failed", row["failure"]
    state = "verified" if row.get("kept") is None else "kept" if row["kept"] else ""
    spared = f"quantized less: {', '.join(row['spared_layers'])}" if row.get("spared_layers") else ""
    share = row.get("int_weights", 1)
    weights = f"{100 * share:.0f} % of the weights int8" if state and share < MOSTLY else ""
    return state, ", ".join(words for words in (spared, weights) if words)
