"""Shows the progress of a search in the terminal."""

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from keras_vit.io.html_page import duration
from keras_vit.training.tuning.costs import COSTS
from keras_vit.training.tuning.results.best import winner
from keras_vit.training.tuning.state.records import COMPLETED, STOPPED

_FORMATS = {"parameters": ",.0f", "size_bytes": ".2f", "latency_ms": ".3g"}  # of the costs in a trial's line


class Display:
    """A progress bar, above it a line for each trial that ended."""

    def __init__(self, objective: tuple[str, str], workers: int):
        self.objective = objective
        self.workers = workers
        self.console = Console(stderr=True)
        self._lock = threading.Lock()
        self._bar = Progress(
            TextColumn("{task.completed:.0f} of {task.total:.0f} trials"),
            BarColumn(),
            TextColumn("best {task.fields[best]}  {task.fields[left]} left"),
            console=self.console,
            transient=True,
        )
        self._task = self._bar.add_task("search", total=0, best="-", left="?")

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *_):
        self._bar.stop()

    def show(self, line):
        """Shows a line."""
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    def search_started(self, ledger):
        """Shows how far a search is, which may be resumed."""
        with self._lock:
            if ledger.records:
                ended = sum(record.status is not None for record in ledger.records.values())
                self.show(f"resuming: {ended} of {len(ledger.records)} started trials have ended")
            self._update(ledger)

    def trial_ended(self, ledger, trial):
        """Shows the end of a trial."""
        with self._lock:
            self.show(self._line(ledger.records[trial]))
            self._update(ledger)

    def _line(self, record):
        parts = [f"trial {record.id}  {record.status:9}"]
        if record.is_scored:
            parts.append(f"{self.objective[0]} {record.score:.4f}  {max(record.epochs)} epochs")
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
        trained = [record for record in records if record.status in (COMPLETED, STOPPED)]
        if not trained:
            return "?"
        mean = sum(record.seconds for record in trained) / len(trained)
        return duration(max(trials, 0) * mean / self.workers)


def _costs(footprint):
    known = [(COSTS[name], footprint[name], form) for name, form in _FORMATS.items() if name in footprint]
    return ", ".join(f"{figure / cost.divisor:{form}} {cost.unit}" for cost, figure, form in known)


def _short(value):
    return f"{value:.3g}" if isinstance(value, float) else str(value)
