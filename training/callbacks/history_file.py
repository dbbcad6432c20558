"""Writes one row per epoch to a CSV file."""

import time

import keras

from keras_vit.io.files import csv_text, write_text
from keras_vit.training.metrics import CURVES

COLUMNS = ("epoch", *CURVES, "learning_rate", "seconds")


class HistoryFile(keras.callbacks.Callback):
    """Writes `history.csv`: epochs from 1, losses in nats, accuracies in [0, 1], seconds per epoch.

    Columns of other metrics follow after those of `COLUMNS`; the first epoch decides which there are.
    Each epoch rewrites the file atomically. The seconds of an interrupted epoch are the sum over its parts.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.columns = None  # known after the first epoch
        self.rows = []

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        values = {
            **logs,
            "epoch": epoch + 1,
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "seconds": time.monotonic() - self._started,
        }
        if self.columns is None:
            logged = [column for column in COLUMNS if column in values]
            self.columns = [*logged, *(name for name in logs if name not in COLUMNS)]
        self.rows.append([f"{values[c]:.6g}" if c in values else "" for c in self.columns])
        write_text(self.path, csv_text([self.columns, *self.rows]))

    def state(self):
        return {"columns": self.columns, "rows": self.rows, "seconds": time.monotonic() - self._started}

    def restore(self, state):
        self.rows = [[str(value) for value in row] for row in state["rows"]]
        self.columns = [str(c) for c in state.get("columns") or COLUMNS] if self.rows else None
        self._started = time.monotonic() - state["seconds"]  # reset at the next epoch
