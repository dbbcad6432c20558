"""Writes one row per epoch to a CSV file."""

import csv
import io
import time

import keras

from keras_vit.io.files import write_text
from keras_vit.training.metrics import CURVES

COLUMNS = ("epoch", *CURVES, "learning_rate", "seconds")


class HistoryFile(keras.callbacks.Callback):
    """Writes `history.csv`: epochs from 1, losses in nats, accuracies in [0, 1], seconds per epoch.

    Each epoch rewrites the file atomically. The seconds of an interrupted epoch are the sum over its parts.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
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
        self.rows.append([f"{values[column]:.6g}" for column in COLUMNS])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *self.rows])
        write_text(self.path, text.getvalue())

    def state(self):
        return {"rows": self.rows, "seconds": time.monotonic() - self._started}

    def restore(self, state):
        self.rows = [[str(value) for value in row] for row in state["rows"]]
        self._started = time.monotonic() - state["seconds"]  # reset at the next epoch
