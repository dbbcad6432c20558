"""The results of a text model's export as a table for the terminal."""

from rich.markup import escape
from rich.table import Table

from keras_vit.export.verification.table import state

HEADINGS = ("variant", "size", "step", "nats", "drop", "agreement")


def results_table(rows):
    """Returns a `rich.table.Table` of the rows that `export_text` gives."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)  # fits 80 columns
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "variant" else "right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        if "cross_entropy" not in row:
            table.add_row(row["variant"], *["-"] * (len(HEADINGS) - 1), escape(row["failure"]))
            continue
        table.add_row(
            row["variant"],
            f"{row['size'] / 1e6:.2f} MB",
            f"{1000 * row['latency_ms']:.0f} us",
            f"{row['cross_entropy']:.4f}",
            f"{row['drop']:+.4f}",
            f"{100 * row['top1_agreement']:.2f} %",
            escape(state(row)),
        )
    return table
