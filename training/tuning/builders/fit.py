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
    RunState,
    SameData,
    executed_together,
    fit_from,
    streams_from,
)
from keras_vit.training.data.streams import evaluation_batches
from keras_vit.training.devices import Engine
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.builders.batches import ArrayBatches, first_batch
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
        if batches is None:
            options = {"initial_epoch": position.epoch, "validation_data": held, "verbose": 0}
            model.fit(train, epochs=epochs, callbacks=[*every, state], **options)
            return
        model.steps_per_execution = executed_together(steps, model.steps_per_execution)

        def start(epoch, step):
            return {"x": batches.stream(epochs, epoch, step), "validation_data": held}

        streams = streams_from(position, start, steps=steps, epochs=epochs)
        fit_from(model, position, streams, [*every, state], steps=steps, epochs=epochs, until_epoch=epochs)


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
