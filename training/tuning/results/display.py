"""Shows a search in the terminal: a line for each trial, and what is left."""

import threading

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from keras_vit.training.tuning.results.best import winner
from keras_vit.training.tuning.state.records import COMPLETED, MISFIT, STOPPED


class Display:
    """A progress bar, above which stands a line for each trial that ended.

    Args:
        objective: `(name, "min" or "max")`.
        workers: int.
        console: rich.console.Console or None.
    """

    def __init__(self, objective, workers, console=None):
        self.objective = objective
        self.workers = workers
        self.console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._bar = Bar(
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

    def say(self, line):
        """Shows a line."""
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    def begun(self, ledger):
        """Shows where a search stands, which may have been begun earlier."""
        with self._lock:
            if ledger.records:
                ended = sum(record.status is not None for record in ledger.records.values())
                self.say(f"going on: of {len(ledger.records)} trials that were begun {ended} have ended")
            self._update(ledger)

    def ended(self, ledger, trial):
        """Shows the end of a trial."""
        with self._lock:
            self.say(self._line(ledger.records[trial]))
            self._update(ledger)

    def _line(self, record):
        parts = [f"trial {record.id}  {record.status:9}"]
        if record.is_scored:
            parts.append(f"{self.objective[0]} {record.score:.4f}  {max(record.epochs)} epochs")
        else:
            parts.append(record.reason)
        parts += [costs(record.footprint), f"{record.seconds:.0f} s", changes(record.fields)]
        return "  ".join(part for part in parts if part)

    def _update(self, ledger):
        records = list(ledger.records.values())
        best = winner(records, self.objective)
        ended = sum(record.status not in (None, MISFIT) for record in records)
        self._bar.update(
            self._task,
            total=max(ledger.planned, 1),
            completed=ended,
            best="-" if best is None else f"{best.score:.4f} (trial {best.id})",
            left=self._time_left(records, ledger.planned - ended),
        )

    def _time_left(self, records, trials):
        trained = [record for record in records if record.status in (COMPLETED, STOPPED)]
        if not trained:
            return "?"
        mean = sum(record.seconds for record in trained) / len(trained)
        return duration(max(trials, 0) * mean / self.workers)


def costs(footprint):
    """Returns what a model costs in words."""
    parts = []
    if "parameters" in footprint:
        parts.append(f"{footprint['parameters']:,} parameters")
    if "size_bytes" in footprint:
        parts.append(f"{footprint['size_bytes'] / 1e6:.2f} MB")
    if "latency_ms" in footprint:
        parts.append(f"{footprint['latency_ms']:.3g} ms")
    return ", ".join(parts)


def changes(fields):
    """Returns the fields of a trial as one types them."""
    return " ".join(f"{name}={shown(value)}" for name, value in fields.items())


def shown(value):
    """Returns a value, with three digits where it is a float."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def duration(seconds):
    """Returns seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
