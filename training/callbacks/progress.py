"""Shows the progress of a training."""

import time

import keras
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from keras_vit.io.html_page import duration
from keras_vit.training.metrics import CURVES

PATIENCE = 30  # seconds from one line to the next within an epoch, where there is no terminal


class Progress(keras.callbacks.Callback):
    """A progress bar over all epochs of a run with items per second and time left, and a line per epoch.

    Without a terminal only lines are written, of long epochs also some within them. `items` names what a
    batch contains.
    """

    def __init__(self, epochs: int, batch_size: int, items="images", console: Console | None = None):
        super().__init__()
        self.epochs = epochs
        self.batch_size = batch_size
        self.items = items
        self.console = console or Console(stderr=True, emoji=False)
        self._bar = None
        self._measured_from = None  # batches of the run that were done, and the time
        self._has_validated = False

    def on_epoch_begin(self, epoch, logs=None):
        steps = self.params["steps"]
        if self._bar is None:
            self._bar = Bar(
                TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(),
                TextColumn(f"{{task.fields[rate]}} {self.items}/s"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
                disable=not self.console.is_interactive,
            )
            self._task = self._bar.add_task(
                "fit", total=steps * self.epochs, epoch=epoch + 1, epochs=self.epochs, rate="-"
            )
            self._bar.start()
        self._first, self._epoch_started, self._since = epoch * steps, time.monotonic(), None
        self._said = self._epoch_started
        self._bar.update(self._task, completed=self._first, epoch=epoch + 1)

    def on_train_batch_begin(self, batch, logs=None):
        if self._since is None:  # a resumed epoch starts with a later batch
            self._since = batch, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        first, started = self._since
        rate = (batch + 1 - first) * self.batch_size / (time.monotonic() - started)
        done = self._first + batch + 1
        self._bar.update(self._task, completed=done, rate=f"{rate:,.0f}")
        self._measured_from = self._measured_from or (done, time.monotonic())  # Keras traced the first ones
        steps = self.params["steps"]
        is_last = batch + 1 == steps  # then the line of the epoch follows
        if not self.console.is_interactive and not is_last and time.monotonic() - self._said >= PATIENCE:
            self._said = time.monotonic()
            self._print(
                f"{(batch + 1) / steps:.0%} of epoch {self._first // steps + 1}{self._left(batch + 1)}"
            )

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.monotonic() - self._epoch_started
        names = [*(n for n in CURVES if n in logs), *(n for n in logs if n not in (*CURVES, "learning_rate"))]
        values = "  ".join(f"{name} {logs[name]:.4f}" for name in names)
        left = "" if self.console.is_interactive else self._left(self.params["steps"])
        self._print(f"epoch {epoch + 1:>3}/{self.epochs}  {values}  {seconds:.0f} s{left}")
        if not self._has_validated:  # Keras traced that too
            self._has_validated = True
            self._measured_from = self._first + self.params["steps"], time.monotonic()

    def _left(self, batches):
        """How long the other steps take if they are as fast as those of this process; only above 10 s.

        It is not known of the steps that Keras traces, which may take longer than the rest of an epoch.
        """
        done = self._first + batches
        first, started = self._measured_from or (done, 0)
        if done == first:
            return ""
        left = (time.monotonic() - started) / (done - first) * (self.params["steps"] * self.epochs - done)
        return f", about {duration(left)} left" if left >= 10 else ""

    def _print(self, line):
        self.console.print(line, highlight=False, soft_wrap=True)

    def close(self):
        """Removes the bar. Call it after an error too."""
        if self._bar is not None and self.console.is_interactive:  # elsewhere that writes an empty line
            self._bar.stop()
