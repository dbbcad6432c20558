"""Hyperparameters in words."""

import keras_tuner

from keras_vit.training.tuning.keras_tuner_internals import is_choice, varying


def described(hyperparameters: keras_tuner.HyperParameters) -> dict[str, str]:
    """Returns a dict from each hyperparameter that varies to its values in words."""
    return {hp.name: _words(hp) for hp in varying(hyperparameters)}


def _words(hp):
    if is_choice(hp):
        line = ", ".join(map(str, hp.values))
    else:
        line = f"{hp.min_value:g} to {hp.max_value:g}"
        line += ", logarithmic" if hp.sampling == "log" else ""
        line += f", step {hp.step:g}" if hp.step not in (None, 1) else ""
    conditions = [f"{c.name} is {' or '.join(map(str, c.values))}" for c in hp.conditions]
    return f"{line} where {' and '.join(conditions)}" if conditions else line
