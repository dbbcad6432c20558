"""Runs a recipe: data, model, `model.fit`, and the run folder."""

import dataclasses
import platform

import keras
import numpy as np

import keras_vit
from keras_vit.files import load_model, write_json
from training.callbacks import BestCheckpoint, FiniteCheck, HistoryFile, Progress, RunState
from training.optimizers import build_optimizer
from training.run_folder import RunFolder
from training.tasks import task_of


def fit(recipe, run_dir, *, data=None, data_dir=None, resume=False, callbacks=()):
    """Trains a recipe's model with `model.fit` and keeps the best of its epochs.

    Args:
        recipe: Recipe.
        run_dir: str or Path. A folder that holds no run yet, or with `resume` an interrupted one.
        data: what the recipe's task loads, or None, to be loaded here.
        data_dir: str, Path or None, where TFDS keeps its data.
        resume: bool, go on after the last whole epoch.
        callbacks: further `keras.callbacks.Callback`s, called before those of the run.

    Returns:
        The best model on the validation split, loaded from `run_dir/model.keras`.

    Raises:
        InputError: bad recipe or data, or a folder that holds a run already.
        ConditionError: loss or weights are no longer finite.
    """
    folder, task = RunFolder(run_dir), task_of(recipe)
    if not resume:
        folder.check_unused()
    data = data or task.load_data(data_dir)
    model = task.build_model(data)
    steps = task.steps_per_epoch(data)
    _compile(model, task, steps)
    own_callbacks, progress, run_state = _callbacks(folder, task)
    done = run_state.restore(model) if resume else 0
    streams = task.streams(data, start_epoch=done)
    _describe(folder, task, data)
    if done < recipe.epochs:
        try:
            model.fit(
                **streams,
                epochs=recipe.epochs,
                initial_epoch=done,
                steps_per_epoch=steps,
                callbacks=[*callbacks, *task.callbacks(folder, data), *own_callbacks],
                shuffle=False,  # the stream has its own order
                verbose=0,
            )
        finally:
            progress.close()
    return load_model(folder.model)


def _compile(model, task, steps):
    recipe = task.recipe
    model.compile(
        **task.compile_options(),
        optimizer=build_optimizer(recipe, model, steps * recipe.epochs),
        steps_per_execution=_executed_together(steps, recipe.steps_per_execution),
        jit_compile="auto",
    )


def _executed_together(steps, limit):
    """The most steps, up to the limit, that fill an epoch: Keras would run over its end otherwise."""
    return max(count for count in range(1, limit + 1) if steps % count == 0)


def _describe(folder, task, data):
    versions = {
        "keras_vit": keras_vit.__version__,
        "keras": keras.version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
    }
    write_json(folder.recipe, {"recipe": dataclasses.asdict(task.recipe), "versions": versions})
    task.describe(folder, data)


def _callbacks(folder, task):
    recipe = task.recipe
    best, history = BestCheckpoint(folder.model, task.rank), HistoryFile(folder.history)
    keepers = {"best": best, "history": history}
    callbacks = [FiniteCheck(), best, history]
    if recipe.ema_momentum is not None:
        # Swapped in at the end of the epoch, before the checkpoint looks at the weights.
        callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if recipe.early_stopping_patience is not None:
        metric, mode = task.monitor
        patience = recipe.early_stopping_patience
        callbacks.append(keras.callbacks.EarlyStopping(metric, mode=mode, patience=patience))
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(folder.tensorboard, write_graph=False))
    run_state = RunState(folder.state, keepers)
    progress = Progress(recipe.epochs, recipe.batch_size, task.items)
    return [*callbacks, run_state, progress], progress, run_state
