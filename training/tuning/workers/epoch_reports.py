"""Reports the epochs of a trial to the process that runs the search."""

import os
from pathlib import Path

import keras

from keras_vit.io.json_files import read_json, write_json


class EpochReports(keras.callbacks.Callback):
    """Sends the metrics of each epoch, and stops the training when the answer is False.

    They are written to `reported_epochs.json` of the run folder before they are sent, because the receiver
    may be killed at that moment. `first_epoch`, from 1, is the first that belongs to this trial.
    """

    def __init__(self, connection, run_dir, first_epoch=1):
        super().__init__()
        self.connection = connection
        self.path = Path(run_dir) / "reported_epochs.json"
        self.first = first_epoch
        old = self.path.with_name("told.json")  # its name in version 0.1.0
        if old.exists() and not self.path.exists():
            os.replace(old, self.path)
        self.reported: list[dict[str, float]] = read_json(self.path, list) if self.path.exists() else []

    def catch_up(self):
        """Repeats the reports of an earlier process. Returns whether to continue."""
        known = enumerate(self.reported[self.first - 1 :], self.first)
        return all([self._report(epoch, metrics) for epoch, metrics in known])

    def on_epoch_end(self, epoch, logs=None):
        metrics = {name: float(value) for name, value in logs.items()}
        self.reported[epoch:] = [metrics]
        write_json(self.path, self.reported)
        is_own = epoch + 1 >= self.first  # a promotion, on a machine without the run, repeats its past
        if is_own and not self._report(epoch + 1, metrics):
            self.model.stop_training = True

    def _report(self, epoch, metrics):
        self.connection.send(("epoch", epoch, metrics))
        return self.connection.recv()
