"""Runs a recipe: data, model, `model.fit`, and the run folder."""

import contextlib
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_vit
from keras_vit.errors import Notice, warn
from keras_vit.importing import user_code
from keras_vit.io.json_files import write_json
from keras_vit.io.model_archive import load_model
from keras_vit.training.callbacks import FiniteCheck, HistoryFile, Progress
from keras_vit.training.checkpoint import (
    BestCheckpoint,
    CheckpointInterval,
    Interruption,
    Position,
    RunState,
    SameData,
    executed_together,
    fit_from,
    streams_from,
)
from keras_vit.training.data.streams import reading_errors
from keras_vit.training.devices import Engine
from keras_vit.training.load import show_data
from keras_vit.training.optimizers import build_optimizer
from keras_vit.training.own_parts import has_own_parts, is_part, own_callbacks
from keras_vit.training.recipe import Recipe
from keras_vit.training.run_folder import GIVEN_DATA, RunFolder
from keras_vit.training.tasks import Task, task_of


def fit(recipe: Recipe, run_dir: str | Path, **options: Any) -> keras.Model:
    """Trains a recipe's model; options and errors are those of `fit_task`, returns the best model."""
    return fit_task(task_of(recipe), run_dir, **options)[0]


def fit_task(
    task: Task,
    run_dir: str | Path,
    *,
    data: Any = None,  # None: what the task loads
    data_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint_every: str | None = None,
    until_epoch: int | None = None,
    engine: Engine | None = None,  # None: one device
) -> tuple[keras.Model, Any]:
    """Trains the model of a task's recipe with `model.fit` and keeps the best of its epochs.

    `callbacks` are called before most of the run's; their state is saved if they have methods `state()`,
    which returns JSON values, and `restore(state)`. `until_epoch` stops earlier than the recipe, for which
    schedule and data are planned: `resume` with a greater number continues as if never stopped.

    Returns:
        `(model, data)`: the best model on the validation split, loaded from `run_dir/model.keras`; and the
        data, with what the task computed of them.

    Raises:
        InputError: bad recipe or data, or a folder that contains a run already.
        NonFiniteError: loss or weights are no longer finite.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    folder, recipe, engine = RunFolder(run_dir), task.recipe, engine or Engine()
    interval = CheckpointInterval.parse(checkpoint_every)
    last_epoch = min(until_epoch or recipe.epochs, recipe.epochs)
    if not resume:
        folder.check_unused()
    engine.check(task)
    task = task.continuing(folder) if resume else task
    loaded = task.load_data(data_dir) if data is None else task.take(data, data_dir)
    task = task.knowing(loaded)
    if not os.path.isfile(folder.recipe):
        task.check_recipe()
    given = {} if data is None else {GIVEN_DATA: SameData(task.fingerprint_arrays(loaded)).digest}
    with folder.locked(), engine.scope():
        folder.remove_leftovers()
        prepared = task.prepare(loaded)
        model, data = engine.prepare(prepared.model), engine.divisible(prepared.data)
        steps = task.steps_per_epoch(data)
        _compile(model, task, steps, engine)
        if recipe.metrics or is_part(recipe.loss):
            with user_code("Loss and metrics cannot be computed of the model's logits and the labels: "):
                _evaluate_once(model, task, data, engine)
        with Interruption() as interruption:
            finite = FiniteCheck(_batches(task, data, engine), folder.nonfinite_batch)
            same_data = SameData(task.fingerprint_arrays(prepared.data))  # of any number of devices
            own = _callbacks(folder, task, engine, prepared.whole)
            users = [*callbacks, *own_callbacks(recipe)]
            every = [same_data, finite, *users, *task.callbacks(folder, prepared), *own]
            run_state = RunState(folder.state, steps, every, interval, interruption, finite.check, engine)
            position = Position()
            if resume:
                position = _restore(folder, run_state, model, task, data, engine)
            streams = _streams(task, data, position, steps, engine)
            _describe(folder, task, prepared, given)
            show_data(loaded, task)
            if hint := task.hint(prepared):
                warn(hint, Notice)
            if position.epoch < last_epoch and not position.stopped:
                with _errors_of_parts(recipe):
                    _fit(task, model, steps, streams, [*every, run_state], position, last_epoch)
    return load_model(folder.model), prepared.data


def _errors_of_parts(recipe):
    """Makes an InputError of what parts of a user raise; errors of callbacks given in Python pass."""
    named = has_own_parts(recipe)
    return user_code("The training raised ", mixed=True) if named else contextlib.nullcontext()


def _restore(folder, run_state, model, task, data, engine):
    position = run_state.load()
    if position != Position():
        task.check_described(folder, data)
    if position.step:  # metrics have no variables to restore before the model has seen a batch
        _evaluate_once(model, task, data, engine)
    run_state.restore(model)
    return position


def _evaluate_once(model, task, data, engine):
    model.evaluate(task.streams(data, share=engine.share)["validation_data"], steps=1, verbose=0)


def _fit(task, model, steps, streams, callbacks, position, last_epoch):
    recipe = task.recipe
    progress = Progress(recipe.epochs, recipe.batch_size, task.items)
    limits = {"steps": steps, "epochs": recipe.epochs, "until_epoch": last_epoch}
    advice = " The training stopped there: restore the file, and continue with resume=True (--resume)."
    try:
        with reading_errors(advice):
            fit_from(model, position, streams, [*callbacks, progress], **limits)
    finally:
        progress.close()


def _batches(task, data, engine):
    """Returns a function that iterates over the training batches from an epoch and step on."""
    if engine.share.count > 1:  # each would search alone, but they can only train together
        return None
    return lambda epoch, step: task.streams(data, epoch, step)["x"]


def _streams(task, data, position, steps, engine):
    def start(epoch, step):
        return task.streams(data, epoch, step, engine.share)

    return streams_from(position, start, steps=steps, epochs=task.recipe.epochs)


def _compile(model, task, steps, engine):
    recipe, num_steps = task.recipe, steps * task.recipe.epochs
    single = keras.backend.backend() == "torch" or engine.num_parts > 1  # all that Keras supports there

    def derived(optimizer_class):
        return engine.optimizer_class(task.optimizer_class(optimizer_class, model, num_steps))

    model.compile(
        **task.compile_options(),
        optimizer=build_optimizer(recipe, model, num_steps, derived),
        steps_per_execution=1 if single else executed_together(steps, recipe.steps_per_execution),
        jit_compile="auto",
    )


def _describe(folder, task, prepared, given):
    versions = {
        "keras_vit": keras_vit.__version__,
        "keras": keras.version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
    }
    recipe = {"recipe": task.recipe.as_dict(), "decided": task.decided(prepared.data)}
    write_json(folder.recipe, {**recipe, "versions": versions, **given})
    task.describe(folder, prepared)


def _callbacks(folder, task, engine, whole):
    recipe = task.recipe
    best = BestCheckpoint(
        folder.model, task.rank, lambda model: engine.portable(task.final_model(whole or model))
    )
    callbacks = [best, HistoryFile(folder.history)]
    if recipe.ema_momentum is not None:
        # Swapped in at the end of the epoch, before the checkpoint looks at the weights.
        callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if recipe.early_stopping_patience is not None:
        metric, mode = task.monitor
        patience = recipe.early_stopping_patience
        callbacks.append(keras.callbacks.EarlyStopping(metric, mode=mode, patience=patience))
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(folder.tensorboard, write_graph=False))
    return [*callbacks, keras.callbacks.History()]
