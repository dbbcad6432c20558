"""The results of an export as a table for the terminal."""

from rich.markup import escape
from rich.table import Table

from keras_vit.export.measurement import size_words


def results_table(rows, columns):
    """Returns the rows of an export as a `rich.table.Table` with a `ModelExport`'s columns."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)  # fits 80 columns
    for heading in ("variant", "size", *columns):
        table.add_column(heading, justify="left" if heading == "variant" else "right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        figures = ["-"] * (1 + len(columns))
        if "size" in row:
            figures = [size_words(row["size"]), *(_figure(show, row) for show in columns.values())]
        table.add_row(row["variant"], *figures, escape(_result(row)))
    return table


def _figure(show, row):
    try:
        return show(row)
    except KeyError:  # of a file that was timed only
        return "-"


def _result(row):
    """The reason of a failure, or the status: verified or, with `auto`, kept, and layers quantized less."""
    if row["failure"]:
        return row["failure"]
    state = "verified" if row.get("kept") is None else "kept" if row["kept"] else ""
    spared = f"quantized less: {', '.join(row['spared_layers'])}" if row.get("spared_layers") else ""
    return ", ".join(words for words in (state, spared) if words)
