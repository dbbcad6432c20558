"""Shows the progress of a training."""

import time

import keras
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from keras_vit.training.metrics import CURVES


class Progress(keras.callbacks.Callback):
    """A progress bar over all epochs of a run with items per second and time left, and a line per epoch.

    Without a terminal only the lines are written. `items` names what a batch contains.
    """

    def __init__(self, epochs: int, batch_size: int, items="images", console: Console | None = None):
        super().__init__()
        self.epochs = epochs
        self.batch_size = batch_size
        self.items = items
        self.console = console or Console(stderr=True, emoji=False)
        self._bar = None

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
            )
            self._task = self._bar.add_task(
                "fit", total=steps * self.epochs, epoch=epoch + 1, epochs=self.epochs, rate="-"
            )
            self._bar.start()
        self._first, self._epoch_started, self._since = epoch * steps, time.monotonic(), None
        self._bar.update(self._task, completed=self._first, epoch=epoch + 1)

    def on_train_batch_begin(self, batch, logs=None):
        if self._since is None:  # a resumed epoch starts with a later batch
            self._since = batch, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        first, started = self._since
        rate = (batch + 1 - first) * self.batch_size / (time.monotonic() - started)
        self._bar.update(self._task, completed=self._first + batch + 1, rate=f"{rate:,.0f}")

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.monotonic() - self._epoch_started
        names = [*(n for n in CURVES if n in logs), *(n for n in logs if n not in (*CURVES, "learning_rate"))]
        values = "  ".join(f"{name} {logs[name]:.4f}" for name in names)
        self.console.print(
            f"epoch {epoch + 1:>3}/{self.epochs}  {values}  {seconds:.0f} s",
            highlight=False,
            soft_wrap=True,
        )

    def close(self):
        """Removes the bar. Call it after an error too."""
        if self._bar is not None:
            self._bar.stop()
