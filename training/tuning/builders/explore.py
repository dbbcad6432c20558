"""Finds the hyperparameters that a builder declares, and checks it and the data before a search starts."""

import copy

import keras
import keras_tuner
import numpy as np

from keras_vit.errors import InputError, did_you_mean, warn
from keras_vit.importing import raised, running
from keras_vit.training.tuning.builders.batches import first_batch
from keras_vit.training.tuning.builders.builder import Builder
from keras_vit.training.tuning.keras_tuner_internals import active_values

MAX_BUILDS = 100  # to see each conditional scope once


def explore(builder: Builder) -> tuple[keras_tuner.HyperParameters, object]:
    """Builds models until each conditional scope was active once, as KerasTuner does.

    Returns the hyperparameters, with the values of the first model, and that model. Those that are first
    declared in a trial, or in a HyperModel's own `fit`, are added when a trial meets them.
    """
    space = keras_tuner.HyperParameters()
    builder.declare(space)
    first, seen, never = None, [], []
    for _ in range(MAX_BUILDS):
        hp = space.copy()
        wanted = {condition.name: condition.values[0] for condition in (never[0] if never else ())}
        hp.values = active_values(space, {**hp.values, **wanted})
        model = builder.build(hp)
        first = model if first is None else first
        space.merge([entry for entry in hp.space if not _known(space, entry)])
        seen += [scope for scope in hp.active_scopes if scope not in seen]
        never += [copy.deepcopy(scope) for scope in hp.inactive_scopes if scope not in never]
        never = [scope for scope in never if scope not in seen]
        if not never:
            break
    if not (space.space or builder.has_fit):
        raise InputError(
            f"{builder.name} declares no hyperparameters, so there is nothing to search. Let it call hp.Int, "
            "hp.Float, hp.Choice or hp.Boolean, as in hp.Int('units', 32, 512)."
        )
    return space, first


def logged_names(model, train, validation, batch_size: int) -> list[str]:
    """Returns the names of the metrics that `fit` would log, from one batch of each data set.

    Raises:
        InputError: the data do not fit the model, or a metric is no single number.
    """
    names = []
    for role, data, prefix in (("train", train, ""), ("validation", validation, "val_")):
        if data is None:
            continue
        try:
            batch = first_batch(data, batch_size)
            with running(f"a batch of {role} through the model"):
                logs = model.test_on_batch(*batch, return_dict=True)
        except Exception as error:  # TensorFlow, Keras and the user's layers raise many kinds
            hint = _hint(data, role)
            raise InputError(f"The model cannot be trained on {role}: {raised(error)}.{hint}") from error
        if not np.isfinite(logs["loss"]):
            raise InputError(
                f"The loss of the untrained model on the first batch of {role} is {logs['loss']}. Expected "
                "data without NaN and infinity, and a loss that fits the outputs."
            )
        if any(np.isnan(array).any() for array in keras.tree.flatten(batch) if array.dtype.kind == "f"):
            warn(
                f"The first batch of {role} has NaN. Layers such as relu make 0 of it on some processors and "
                "NaN on others. Remove it, unless the model replaces it."
            )
        if several := [name for name, value in logs.items() if np.ndim(value)]:
            raise InputError(
                f"Expected metrics of one number, received {np.size(logs[several[0]])} from {several[0]!r}: "
                "average them, as with keras.metrics.F1Score(average='macro')."
            )
        names += [f"{prefix}{name}" for name in logs]
    return names


def check_logged(objective: str, names: list[str]):
    """Raises InputError unless the objective is one of the metrics that a training logs."""
    if objective not in names:
        is_held = any(name.startswith("val_") for name in names)
        hint = did_you_mean(objective, names) + ("" if is_held else " Give validation data for val_ metrics.")
        raise InputError(
            f"The objective {objective!r} is not logged. Expected one of {', '.join(names)}: others are "
            f"metrics to compile the model with.{hint}"
        )


def _hint(data, role):
    if isinstance(data, tuple) and len(data) == 1:
        return f" Does it need labels? Give {role} as (x, y)."
    is_dataset = not isinstance(data, tuple | keras.utils.PyDataset)
    return " A dataset has to be batched: dataset.batch(32)." if is_dataset else ""


def _known(space, entry):
    return any(entry.name == known.name and entry.conditions == known.conditions for known in space.space)
