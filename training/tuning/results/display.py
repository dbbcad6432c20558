"""What a search shows in the terminal: its progress, and a table of its trials."""

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from keras_vit.errors import counted
from keras_vit.io.html_page import duration
from keras_vit.training.tuning.costs import COSTS
from keras_vit.training.tuning.results.best import best_of_each_run, pareto_fronts, winner

_FORMATS = {"parameters": ",.0f", "size_bytes": ".2f", "latency_ms": ".3g"}  # of the costs in a trial's line
SHOWN = 10  # trials in the table


class Display:
    """A progress bar, above it a line for each trial that ended."""

    def __init__(self, objective: tuple[str, str], workers: int):
        self.objective = objective
        self.workers = workers
        self.console = Console(stderr=True, emoji=False)
        self._lock = threading.Lock()
        self._bar = Progress(
            TextColumn("{task.completed:.0f} of {task.total:.0f} trials"),
            BarColumn(),
            TextColumn("best {task.fields[best]}  {task.fields[left]} left"),
            console=self.console,
            transient=True,
            disable=not self.console.is_interactive,
        )
        self._task = self._bar.add_task("search", total=0, best="-", left="?")

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *_):
        if self.console.is_interactive:  # elsewhere that writes an empty line
            self._bar.stop()

    def show(self, line):
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    def search_started(self, ledger):
        """Shows how far a search is, which may be resumed."""
        with self._lock:
            if ledger.records:
                ended = sum(record.status is not None for record in ledger.records.values())
                self.show(f"resuming: {ended} of {len(ledger.records)} started trials have ended")
            self._update(ledger)

    def trial_ended(self, ledger, trial):
        with self._lock:
            self.show(self._line(ledger.records[trial]))
            self._update(ledger)
            left = self._bar.tasks[0].fields["left"]
            if not self.console.is_interactive and ledger.ended < ledger.planned:
                self.show(f"{ledger.ended} of {ledger.planned} trials, about {left} left")

    def _line(self, record):
        parts = [f"trial {record.id}  {record.status:9}"]
        if record.is_scored:
            parts.append(f"{self.objective[0]} {record.score:.4f}  {counted(max(record.epochs), 'epoch')}")
        else:
            parts.append(record.reason)
        values = " ".join(f"{name}={_short(value)}" for name, value in record.fields.items())
        parts += [_costs(record.footprint), f"{record.seconds:.0f} s", values]
        return "  ".join(part for part in parts if part)

    def _update(self, ledger):
        records = list(ledger.records.values())
        best = winner(records, self.objective)
        self._bar.update(
            self._task,
            total=max(ledger.planned, 1),
            completed=ledger.ended,
            best="-" if best is None else f"{best.score:.4f} (trial {best.id})",
            left=self._time_left(records, ledger.planned - ledger.ended),
        )

    def _time_left(self, records, trials):
        trained = [record for record in records if record.is_scored]
        if not trained:
            return "?"
        mean = sum(record.seconds for record in trained) / len(trained)
        return duration(max(trials, 0) * mean / self.workers)


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


def _costs(footprint):
    known = [(COSTS[name], footprint[name], form) for name, form in _FORMATS.items() if name in footprint]
    return ", ".join(f"{figure / cost.divisor:{form}} {cost.unit}" for cost, figure, form in known)


def _short(value):
    return f"{value:.3g}" if isinstance(value, float) else str(value)
