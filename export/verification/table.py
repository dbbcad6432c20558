"""The results of an export as a table for the terminal."""

from rich.markup import escape
from rich.table import Table


def results_table(rows):
    """Returns a `rich.table.Table` of the rows that `export_model` gives."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)  # fits 80 columns
    for heading in ("variant", "size", "latency", "accuracy", "drop", "agreement", "difference"):
        justify = "left" if heading == "variant" else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        if "accuracy" not in row:
            table.add_row(row["variant"], *["-"] * 6, escape(row["failure"]))
            continue
        table.add_row(
            row["variant"],
            f"{row['size'] / 1e6:.2f} MB",
            f"{row['latency_ms']:.2f} ms",
            f"{100 * row['accuracy']:.2f} %",
            f"{row['drop']:+.2f}",
            f"{100 * row['top1_agreement']:.2f} %",
            f"{row['max_probability_difference']:.1e}",
            escape(_result(row)),
        )
    return table


def state(row):
    """Returns why a row's file failed, that it is verified, or whether `auto`, which tried it, keeps it."""
    return row["failure"] or ("verified" if row.get("kept") is None else "kept" if row["kept"] else "")


def _result(row):
    layers = None if row["failure"] else row.get("float_layers")
    in_float = f"in float: {', '.join(layers)}" if layers else ""
    return ", ".join(words for words in (state(row), in_float) if words)
