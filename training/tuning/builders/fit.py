"""Trains a compiled model on a user's data, and continues where an earlier process was interrupted."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_vit.keras_internals import is_graph
from keras_vit.training.callbacks import FiniteCheck, HistoryFile
from keras_vit.training.checkpoint import (
    BestCheckpoint,
    CheckpointInterval,
    Interruption,
    ResumedCallbacks,
    RunState,
    SameData,
    stream_within_epoch,
)
from keras_vit.training.devices import Engine
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.builders.batches import ArrayBatches, evaluation_batches, first_batch
from keras_vit.training.tuning.builders.explore import check_logged


def fit_compiled(
    model: keras.Model,
    train: Any,
    validation: Any,
    folder: RunFolder,
    *,
    objective: tuple[str, str],
    epochs: int,
    batch_size: int,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
):
    """Trains until that epoch, keeps the model of the best one, and saves the state after each.

    `train` and `validation` are what `GivenData.load` returns. Of arrays the order of the rows follows from
    the seed and the epoch, so that a training which is interrupted anywhere continues to bit-identical
    weights. Of a dataset the interrupted epoch starts again, with the weights, the optimizer and the random
    numbers of its start, in whatever order the dataset then has.
    """
    batches = ArrayBatches(train, batch_size, seed) if isinstance(train, tuple) else None
    held = evaluation_batches(validation, batch_size) if isinstance(validation, tuple) else validation
    finite = FiniteCheck()
    logged = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: check_logged(objective[0], [*logs]))
    every = [finite, logged, *callbacks, *kept(folder, objective), keras.callbacks.History()]
    if batches is not None:
        arrays = [data for data in (train, validation) if isinstance(data, tuple)]
        every.insert(0, SameData(keras.tree.flatten(arrays)))
    with folder.locked(), Interruption() as interruption:
        folder.remove_leftovers()
        kind, steps = (RunState, batches.steps) if batches is not None else (EpochState, 1)
        state = kind(folder.state, steps, every, CheckpointInterval(), interruption, finite.check, Engine())
        position = state.load()
        if position.step:  # metrics have no variables to restore before the model has seen a batch
            model.test_on_batch(*first_batch(train, batch_size))
        state.restore(model)
        if position.epoch >= epochs or position.stopped:
            return
        options = {"epochs": epochs, "initial_epoch": position.epoch, "validation_data": held, "verbose": 0}
        if batches is None:
            model.fit(train, callbacks=[*every, state], **options)
        else:
            _fit_arrays(model, batches, position, [*every, state], options)


def kept(folder: RunFolder, objective: tuple[str, str]) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that keep the best model and the history of a training."""
    name, direction = objective

    def rank(logs):
        return [float(logs[name]) if direction == "max" else -float(logs[name])]

    return [BestCheckpoint(folder.model, rank, plain), HistoryFile(folder.history)]


def plain(model: keras.Model) -> keras.Model:
    """Returns the model to save: its layers without loss and optimizer, where it is a graph of layers."""
    return keras.Model(model.inputs, model.outputs, name=model.name) if is_graph(model) else model


class EpochState(RunState):
    """Saves at the end of epochs only, for data that nobody can continue within an epoch."""

    def _stop(self):
        self._raise_interrupted(f"in epoch {self._epoch + 1}, which starts again")


def _fit_arrays(model, batches, position, callbacks, options):
    epoch, step, steps = position.epoch, position.step, batches.steps
    limit = model.steps_per_execution
    model.steps_per_execution = max(count for count in range(1, limit + 1) if steps % count == 0)
    start = (
        (epoch, min(step, steps - 1)) if step < steps or epoch + 1 == options["epochs"] else (epoch + 1, 0)
    )
    stream = batches.stream(options["epochs"], *start)
    resumed = {"epochs": options["epochs"], "steps": steps, "model": model}
    model.fit(
        stream_within_epoch(stream, step) if step else stream,
        steps_per_epoch=steps,
        callbacks=ResumedCallbacks(callbacks, step, **resumed),
        shuffle=False,  # the stream has its own order
        **options,
    )
