"""Callbacks whose state is saved with the run: how they are found, and two of them."""

import copy
import hashlib
import json

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import atomic_path
from keras_vit.keras_internals import EMA_SWAP_STATE

HASHED_ROWS = 4096  # at a time: an array may be larger than the memory
_FIELDS = {  # attributes of Keras's callbacks that make up their state
    keras.callbacks.EarlyStopping: ("best", "best_epoch", "wait", "stopped_epoch"),
    keras.callbacks.SwapEMAWeights: (EMA_SWAP_STATE,),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
    keras.callbacks.History: ("epoch", "history"),
}


def stateful_callbacks(callbacks: list[keras.callbacks.Callback]) -> dict:
    """Returns the callbacks that have a state, by name.

    They define `state()`, which returns JSON values, and `restore(state)`; those of Keras that are listed in
    this module, and others of users, get adapters.
    """
    found = {}
    for callback in callbacks:
        name = type(callback).__name__
        if name in found:
            name += f"_{len(found)}"
        if hasattr(callback, "state") and hasattr(callback, "restore"):
            found[name] = callback
        elif not type(callback).__module__.startswith(("keras.", "keras_vit.")):
            found[name] = ChangedAttributes(callback)
        elif fields := next((f for kind, f in _FIELDS.items() if isinstance(callback, kind)), None):
            found[name] = _FieldState(callback, fields)
    return found


class BestCheckpoint(keras.callbacks.Callback):
    """Saves the model whenever its rank exceeds that of all earlier epochs.

    Unlike `ModelCheckpoint` it writes a temporary file and renames it. `rank` is a function from an epoch's
    logs to a list of floats, greater for a better model; `final_model` one from the model in training to the
    one to save, such as one with its backbone.
    """

    def __init__(self, path, rank, final_model):
        super().__init__()
        self.path = path
        self.rank = rank
        self.final_model = final_model
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        rank = self.rank(logs)
        if self.best is not None and rank <= self.best:
            return
        self.best = rank
        with atomic_path(self.path) as temporary:
            self.final_model(self.model).save(temporary)

    def state(self):
        return {"best": self.best}

    def restore(self, state):
        self.best = None if state["best"] is None else [float(value) for value in state["best"]]


class SameData(keras.callbacks.Callback):
    """Refuses to resume on arrays that differ from those the run started with; `what` is their name."""

    what = "training or validation data, or the features that pretrained weights compute from them,"

    def __init__(self, arrays):
        super().__init__()
        digest = hashlib.sha256()
        for array in arrays:
            for start in range(0, len(array), HASHED_ROWS):
                digest.update(np.ascontiguousarray(array[start : start + HASHED_ROWS]))
        self.digest = digest.hexdigest()

    def state(self):
        return {"sha256": self.digest}

    def restore(self, state):
        if state["sha256"] != self.digest:
            raise InputError(
                f"The {self.what} differ from those that the run started with. Restore them, or start in "
                "another folder."
            )


class ChangedAttributes:
    """The state of a user's callback: those attributes that a training changes, and that JSON can hold."""

    def __init__(self, callback):
        self.callback = callback
        self._before = copy.deepcopy(self._attributes())

    def state(self):
        now = self._attributes()
        return {name: v for name, v in now.items() if name not in self._before or self._before[name] != v}

    def restore(self, state):
        vars(self.callback).update(copy.deepcopy(state))

    def _attributes(self):
        own = vars(self.callback).keys() - vars(keras.callbacks.Callback()).keys()
        return {name: vars(self.callback)[name] for name in own if _is_json(vars(self.callback)[name])}


def _is_json(value):
    try:
        return json.loads(json.dumps(value)) == value
    except (TypeError, ValueError, RecursionError):
        return False


class _FieldState:
    def __init__(self, callback, fields):
        self.callback = callback
        self.fields = fields

    def state(self):
        present = [field for field in self.fields if hasattr(self.callback, field)]
        return {field: getattr(self.callback, field) for field in present}

    def restore(self, state):
        for field, value in state.items():
            kind = type(getattr(self.callback, field, None))
            expected = kind if kind in (list, dict) else int | float | None
            if field not in self.fields or not isinstance(value, expected):
                raise ValueError(f"{field}={value!r}")
            setattr(self.callback, field, value)
