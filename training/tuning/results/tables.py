"""Tables of a search for the terminal."""

from rich.table import Table

from keras_vit.training.tuning.costs import COSTS
from keras_vit.training.tuning.results.best import best_of_each_run, pareto_fronts

SHOWN = 10  # trials


def trials_table(records, objective, best):
    """Returns a rich table of the trials with the best scores; bold is the winner, `*` a Pareto front."""
    scored = best_of_each_run(records, objective)
    fronts = pareto_fronts(scored, objective)
    scored.sort(key=lambda record: record.score, reverse=objective[1] == "max")
    kept = [r for i, r in enumerate(scored) if i < SHOWN or any(r in front for front in fronts.values())]
    title = "Best trials, and those on a Pareto front (marked *)"
    table = Table(title=title, title_justify="left", box=None)
    for column in ("trial", objective[0], "epochs", *(COSTS[cost].unit for cost in fronts)):
        table.add_column(column, justify="right")
    for record in kept:
        table.add_row(
            record.id,
            f"{record.score:.4f}",
            str(max(record.epochs)),
            *(_cell(cost, record, front) for cost, front in fronts.items()),
            style="bold" if best is not None and record.id == best.id else None,
        )
    return table


def _cell(cost, record, front):
    if cost not in record.footprint:
        return "- "
    value = record.footprint[cost] / COSTS[cost].divisor
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return text + ("*" if record in front else " ")
