"""Tables of a search for the terminal."""

from rich.table import Table

from keras_vit.training.tuning.results.best import finals, fronts_of

SHOWN = 10  # trials
# Of each cost: its column's head, and how many make one there.
_COLUMNS = {
    "latency_ms": ("ms", 1),
    "size_bytes": ("MB", 1e6),
    "flops": ("MFLOPs", 1e6),
    "parameters": ("parameters", 1),
}


def trials_table(records, objective, best):
    """Returns the trials with the best scores, with the winner and the Pareto fronts marked."""
    scored = finals(records, objective)
    fronts = fronts_of(scored, objective)
    scored.sort(key=lambda record: record.score, reverse=objective[1] == "max")
    kept = [r for i, r in enumerate(scored) if i < SHOWN or any(r in chosen for chosen in fronts.values())]
    title = "Best trials, and those on a Pareto front (marked *)"
    table = Table(title=title, title_justify="left", box=None)
    for column in ("trial", objective[0], "epochs", *(_COLUMNS[cost][0] for cost in fronts)):
        table.add_column(column, justify="right")
    for record in kept:
        table.add_row(
            record.id,
            f"{record.score:.4f}",
            str(max(record.epochs)),
            *(_figure(cost, record, chosen) for cost, chosen in fronts.items()),
            style="bold" if best is not None and record.id == best.id else None,
        )
    return table


def _figure(cost, record, chosen):
    if cost not in record.footprint:
        return "- "
    value = record.footprint[cost] / _COLUMNS[cost][1]
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return text + ("*" if record in chosen else " ")
