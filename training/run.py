"""A whole run: train, evaluate on the test split, write the report."""

import dataclasses
from typing import Any

import keras

from keras_vit.errors import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.training.devices import open_engine
from keras_vit.training.fit import fit_task
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tasks import Task, task_of


def run_recipe(
    recipe, run_dir, *, data_dir=None, resume=False, moved=(), checkpoint_every=None, devices=None
):
    """Trains a recipe, evaluates its best model on the test split and writes the report.

    Args:
        recipe: Recipe. With `resume` it must be the one that the run began with, but
            for the fields of `moved`.
        run_dir: str or Path of the run folder.
        data_dir: str, Path or None, where TFDS keeps its data.
        resume: bool, go on with an interrupted run; of one that is trained only the rest is done.
        moved: names of fields that hold paths of what lies elsewhere since the run began.
        checkpoint_every: str such as `"500"` steps or `"10m"`, when to save besides the end of each epoch.
        devices: str, as in `keras_vit.training.devices.open_engine`, or None for one device.

    Returns:
        dict, what `metrics.json` holds.

    Raises:
        InputError: bad recipe, data or folder.
        NonFiniteError: loss or weights are no longer finite.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    engine = open_engine(devices)
    folder, task = RunFolder(engine.run_dir(run_dir)), task_of(recipe)
    if resume:
        _check_same_recipe(task.recipe, folder, but=moved)
    else:
        folder.check_unused()
    data = task.load_data(data_dir)
    model, data = fit_task(
        task, folder.path, data=data, resume=resume, checkpoint_every=checkpoint_every, engine=engine
    )
    return task.evaluate(folder, model, data)


def evaluate_run(run_dir, *, data_dir=None):
    """Evaluates a run's model on its test split; writes `metrics.json` and `report/` again.

    Returns:
        dict, what `metrics.json` holds.

    Raises:
        InputError: no trained run lies there, or its data cannot be loaded.
    """
    run = load_run(run_dir, data_dir)
    return run.task.evaluate(run.folder, run.model, run.data)


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A trained run.

    Attributes:
        folder: RunFolder.
        task: Task of its recipe, which is `task.recipe`.
        model: keras.Model, the best on the validation split.
        data: ImageData or TextData, as the task loads it.
    """

    folder: RunFolder
    task: Task
    model: keras.Model
    data: Any


def load_run(run_dir, data_dir=None):
    """Loads a trained run.

    Returns:
        Run.

    Raises:
        InputError: no trained run lies there, or its data are no longer those that it was trained on.
    """
    folder = RunFolder(run_dir)
    folder.check_trained()
    task = task_of(load_recipe(folder.recipe))
    model = load_model(folder.model)
    data = task.load_data(data_dir)
    task.check_described(folder, data)
    task.check_model(folder, model, data)
    return Run(folder, task, model, data)


def changed_fields(folder, recipe, but=()):
    """Returns the fields in which a recipe differs from that of a run, but for some, each told in words."""
    given, before = recipe.as_dict(), load_recipe(folder.recipe).as_dict()
    names = [name for name in {**given, **before} if given.get(name) != before.get(name) and name not in but]
    return [f"{name}={given.get(name)} (was {before.get(name)})" for name in names]


def _check_same_recipe(recipe, folder, but):
    if not folder.recipe.exists():
        raise InputError(f"--resume found no run in {folder.path}. Leave --resume out to begin one.")
    changed = changed_fields(folder, recipe, but)
    if changed:
        raise InputError(
            f"--resume continues the recipe that {folder.path} began with, but {', '.join(changed)} "
            "differ. Give the same fields, or another --run-dir."
        )
