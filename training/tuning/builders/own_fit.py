"""The metrics of a HyperModel's own `fit`: those of its epochs, and those that it returns."""

from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.training.tuning.state.records import ImpossibleSearch

EXPECTED = "what model.fit returns, a dict of metrics, or a number"


class OwnEpochs(keras.callbacks.Callback):
    """Passes epochs whose logs have the objective on to other callbacks, numbered from 0 without gaps."""

    def __init__(self, objective: str, callbacks: list[keras.callbacks.Callback]):
        super().__init__()
        self.objective = objective
        self.callbacks = callbacks
        self.count = 0
        self.names: dict[str, None] = {}  # of all metrics, in the order of their first epoch

    def on_epoch_begin(self, epoch, logs=None):
        for callback in self.callbacks:
            callback.set_model(self.model)
            callback.on_epoch_begin(self.count)

    def on_epoch_end(self, epoch, logs=None):
        self.pass_on(logs or {})

    def pass_on(self, logs: dict):
        """Passes the metrics of an epoch, or the last ones, on."""
        self.names |= dict.fromkeys(logs)
        if wrong := [name for name, value in logs.items() if np.ndim(value) or not np.isfinite(value)]:
            raise InputError(
                f"Expected fit to log and return finite numbers, received {wrong[0]}={logs[wrong[0]]}."
            )
        if self.objective in logs:
            for callback in self.callbacks:
                callback.on_epoch_end(self.count, logs)
            self.count += 1


def report_result(result: Any, epochs: OwnEpochs, model: keras.Model):
    """Passes on what `fit` returned, unless its epochs were passed on already.

    Raises:
        InputError: it is nothing of `EXPECTED`.
        ImpossibleSearch: the objective is in none of the metrics.
    """
    for logs in _rows(result, epochs):
        epochs.set_model(model)
        epochs.on_epoch_begin(epochs.count)
        epochs.pass_on(logs)
    if not epochs.count:
        known = ", ".join(epochs.names) or "nothing"
        raise ImpossibleSearch(
            f"The objective {epochs.objective!r} is not among what fit logged or returned: {known}. Return "
            "it in a dict, or choose another objective."
        )


def _rows(result, epochs):
    if isinstance(result, keras.callbacks.History):
        history = {name: list(values) for name, values in result.history.items()}
        known = [len(values) for values in history.values()]
        rows = [
            {n: float(v[i]) for n, v in history.items() if i < len(v)} for i in range(max(known, default=0))
        ]
        return rows if not epochs.names else []
    if isinstance(result, dict):
        return [{str(name): float(value) for name, value in result.items()}]
    if result is None and epochs.count:
        return []
    try:
        return [{epochs.objective: float(result)}]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Expected fit to return {EXPECTED}, received {type(result).__name__}: end it with "
            "`return model.fit(...)`."
        ) from error
