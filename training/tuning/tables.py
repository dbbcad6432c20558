"""Tables of a search for the terminal."""

from rich.table import Table

from training.tuning.pareto import COSTS, finals, front, measured_costs

SHOWN = 10  # trials


def trials_table(records, objective, best):
    """Returns the trials with the best scores, with the winner and the Pareto fronts marked."""
    scored = finals(records, objective)
    fronts = {cost: front(scored, objective, cost) for cost in measured_costs(scored)}
    scored.sort(key=lambda record: record.score, reverse=objective[1] == "max")
    kept = [r for i, r in enumerate(scored) if i < SHOWN or any(r in chosen for chosen in fronts.values())]
    table = Table(title="Best trials, and those on a Pareto front", title_justify="left", box=None)
    for column in (
        "trial",
        objective[0],
        "epochs",
        *(_HEADS[cost] for cost in _known(scored)),
        "front",
    ):
        table.add_column(column, justify="left" if column == "front" else "right")
    for record in kept:
        marks = [COSTS[cost] for cost, chosen in fronts.items() if record in chosen]
        table.add_row(
            record.id,
            f"{record.score:.4f}",
            str(max(record.epochs)),
            *(_figure(cost, record.footprint.get(cost)) for cost in _known(scored)),
            ", ".join(marks),
            style="bold" if best is not None and record.id == best.id else None,
        )
    return table


_HEADS = {"parameters": "parameters", "size_bytes": "MB", "latency_ms": "ms"}


def _known(records):
    return [cost for cost in _HEADS if any(cost in record.footprint for record in records)]


def _figure(cost, value):
    if value is None:
        return "-"
    if cost == "size_bytes":
        return f"{value / 1e6:.2f}"
    return f"{value:.3g}" if cost == "latency_ms" else f"{value:,}"
