"""The memory of callbacks: what must be saved of them so that they go on as if never stopped."""

import keras

_FIELDS = {
    keras.callbacks.EarlyStopping: ("best", "best_epoch", "wait", "stopped_epoch"),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
    keras.callbacks.History: ("epoch", "history"),
}


def keepers(callbacks):
    """Finds the callbacks that have a memory.

    Args:
        callbacks: list of `keras.callbacks.Callback`.

    Returns:
        dict from a name to an object with `state()`, which returns JSON values, and `restore(state)`:
        callbacks that have these methods themselves, and those of Keras that are known here.
    """
    found = {}
    for callback in callbacks:
        name = type(callback).__name__
        if name in found:
            name += f"_{len(found)}"
        if hasattr(callback, "state") and hasattr(callback, "restore"):
            found[name] = callback
        elif fields := next((f for kind, f in _FIELDS.items() if isinstance(callback, kind)), None):
            found[name] = _Fields(callback, fields)
    return found


class _Fields:
    def __init__(self, callback, fields):
        self.callback = callback
        self.fields = fields

    def state(self):
        return {field: _plain(getattr(self.callback, field)) for field in self.fields if self._has(field)}

    def restore(self, state):
        for field, value in state.items():
            kind = type(getattr(self.callback, field, None))
            expected = kind if kind in (list, dict) else int | float | None
            if field not in self.fields or not isinstance(value, expected):
                raise ValueError(f"{field}={value!r}")
            setattr(self.callback, field, value)

    def _has(self, field):
        return hasattr(self.callback, field)


def _plain(value):
    """NumPy's numbers as Python's, which JSON takes."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value.item() if hasattr(value, "item") else value
