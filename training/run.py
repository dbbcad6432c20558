"""A whole run: train, evaluate on the test split, write the report."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from keras_vit.constraints import check_value
from keras_vit.errors import AS_IT_IS, InputError, Notice, counted, warn
from keras_vit.io.json_files import read_json
from keras_vit.io.model_archive import load_model
from keras_vit.io.output_meaning import read_output_meaning
from keras_vit.training.checkpoint import SameData
from keras_vit.training.devices import open_engine
from keras_vit.training.fit import fit_task
from keras_vit.training.interrupted import interrupted_line
from keras_vit.training.recipe import Recipe
from keras_vit.training.recipe_file import as_started, load_recipe, read_recipe
from keras_vit.training.report.history import read_history
from keras_vit.training.run_folder import GIVEN_DATA, RunFolder
from keras_vit.training.targets.unknown import Precision, Unsure, check_folder, check_has_classes
from keras_vit.training.tasks import Task, task_of


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A trained run.

    Attributes:
        folder: RunFolder.
        task: Task of its recipe, which is `task.recipe`.
        model: keras.Model, the best on the validation split.
        data: ImageData or TextData.
        metrics: dict, what `metrics.json` holds, where the run was just trained.
    """

    folder: RunFolder
    task: Task
    model: keras.Model
    data: Any
    metrics: dict[str, Any] | None = None

    def __repr__(self):
        return f"Run({str(self.folder.path)!r})"


def train(
    recipe: Recipe | str | Path,
    run_dir: str | Path,
    *,
    data: Any = None,
    data_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    moved: Iterable[str] = (),
    checkpoint_every: str | None = None,
    devices: str | int | None = None,
) -> Run:
    """Trains a recipe, evaluates its best model on the test split and writes the report.

    Args:
        recipe: ImageRecipe, TextRecipe or PairRecipe; a name of `keras-vit list recipes`; or the path
            of a `.py` file that defines `RECIPE`, of a `recipe.json` or of a run folder. With `resume` it
            must be the recipe that the run started with, except for the fields of `moved`.
        run_dir: str or Path of the run folder.
        data: what `load_data` returns or, of images, also what it takes, such as `(images, labels)`, a
            `tf.data.Dataset` or a `keras.utils.PyDataset`. Default: what the recipe's `data` names.
        data_dir: str or Path, where TFDS keeps its data. Default: TFDS's own.
        resume: bool, continue an interrupted run; of a trained one only the evaluation is done, unless the
            recipe has more epochs: then training continues from its final state, with the learning rates
            that a schedule over all epochs has from there on.
        callbacks: more `keras.callbacks.Callback`s.
        moved: names of fields whose paths have changed since the run started.
        checkpoint_every: str such as `"500"` steps or `"10m"`, when to save within epochs too.
        devices: int, how many share each batch; `"all"`; or with JAX `"2x4"`: two parts of each batch, and
            4 devices that share the model for each. Default: one device.

    Returns:
        Run, with its metrics.

    Raises:
        InputError: bad recipe, data or folder.
        NonFiniteError: loss or weights are no longer finite.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import ImageRecipe
        >>> recipe = ImageRecipe(data="digits", model="linear", epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     train(recipe, folder).metrics["split"]
        'test'
    """
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(str(recipe))
    engine = open_engine(devices)
    folder, task = RunFolder(engine.run_dir(run_dir)), task_of(recipe)
    if resume:
        more = ("epochs",) if _continues(task.recipe, folder) else ()
        _check_same_recipe(task.recipe, folder, but=(*moved, *more))
        if more:
            _forget_evaluation(folder)
        task = task.continuing(folder)
    model, data = fit_task(
        task,
        folder.path,
        data=data,
        data_dir=data_dir,
        resume=resume,
        callbacks=tuple(callbacks),
        checkpoint_every=checkpoint_every,
        engine=engine,
    )
    task = task.knowing(data)
    return Run(folder, task, model, data, task.evaluate(folder, model, data))


def evaluate(
    run_dir: str | Path,
    *,
    data: Any = None,
    data_dir: str | Path | None = None,
    precision: float | None = None,
    unknown: str | Path | None = None,
) -> dict[str, Any]:
    """Evaluates a run's model on its test split; writes `metrics.json` and `report/` again.

    With `precision` a classifier may answer "none of these": the smallest probability from which on that
    share of answers is right is fitted on the validation images, and kept for predict and exported files.

    Args:
        run_dir: str or Path of the run folder.
        data: as `train` had them, where they are not those of the recipe. Default: what its `data` names.
        data_dir: str or Path, where TFDS keeps its data. Default: TFDS's own.
        precision: float from 0.01 to 0.9999, the wanted share of right answers among those with a class.
            Default: None, as at the evaluation before, at first every picture gets a class.
        unknown: str or Path of a folder of pictures that have none of the classes. Half of them count as
            wrong answers when the probability is fitted, the others show what it does. Default: None.

    Returns:
        dict, what `metrics.json` holds.

    Raises:
        InputError: no trained run is there, its data cannot be loaded, or the precision cannot be reached.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import ImageRecipe, train
        >>> recipe = ImageRecipe(data="digits", model="linear", epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train(recipe, folder)
        ...     0 <= evaluate(folder)["accuracy"] <= 1
        True
    """
    unsure = wanted_answers(run_dir, precision, unknown)
    return evaluate_run(load_run(run_dir, data_dir, data), unsure)


def wanted_answers(run_dir: str | Path, precision: float | None, unknown: str | Path | None) -> Unsure | None:
    """Returns what these options of `evaluate` want; refuses them before the run's data are loaded."""
    if precision is None and unknown is None:
        return None
    folder = RunFolder(run_dir)
    folder.check_trained()
    kind = task_of(load_recipe(folder.recipe)).kind
    if kind != "images":
        raise InputError(f"precision and unknown are for images, and this run is of {kind}. Leave them out.")
    if precision is None:
        raise InputError("unknown needs the precision of answers, such as precision=0.95 (--precision 0.95).")
    check_value("precision", precision, Precision)
    check_has_classes(read_output_meaning(folder.path).task)
    if unknown is not None:
        check_folder(unknown)
    return Unsure(precision, unknown)


def evaluate_run(run: Run, unsure: Unsure | None = None) -> dict[str, Any]:
    """Evaluates a loaded run; the option is what `wanted_answers` returned."""
    options = () if unsure is None else (unsure,)  # which only images have
    return run.task.evaluate(run.folder, run.model, run.data, *options)


def load_run(run_dir: str | Path, data_dir: str | Path | None = None, data: Any = None) -> Run:
    """Loads a trained run, and raises InputError where its data are no longer those it was trained on.

    `data` are those that `train` was given, None for those of the recipe.
    """
    folder = RunFolder(run_dir)
    folder.check_trained()
    task = task_of(load_recipe(folder.recipe)).continuing(folder)
    if line := interrupted_line(folder, task.recipe.epochs):
        warn(f"{folder.path}: {line}.", Notice)
    model = load_model(folder.model)
    data = _data_of_recipe(task, folder, data_dir) if data is None else task.take(data, data_dir)
    task = task.knowing(data)
    task.check_described(folder, data)
    task.check_model(folder, model, data)
    return Run(folder, task, model, data)


def _data_of_recipe(task, folder, data_dir):
    """The data that the recipe names; raises InputError where others were given to train it."""
    given = read_json(folder.recipe, dict).get(GIVEN_DATA)
    if given is None:
        return task.load_data(data_dir)
    refusal = InputError(
        f"The run in {folder.path} was trained on data that were given in Python: data={task.recipe.data} of "
        "its recipe, or their splits, are others. Evaluate it with evaluate(run_dir, data=...), or give "
        f"{folder.model} and --data SPEC to a command."
    )
    try:
        data = task.load_data(data_dir)
    except InputError as error:
        raise refusal from error
    if SameData(task.fingerprint_arrays(data)).digest != given:
        raise refusal
    return data


def changed_fields(folder: RunFolder, recipe: Recipe, but: Iterable[str] = ()) -> list[str]:
    """Returns the fields of a recipe that differ from those of a run, with both values, except `but`."""
    given, before = as_started(recipe, folder.recipe).as_dict(), load_recipe(folder.recipe).as_dict()
    names = [name for name in {**given, **before} if given.get(name) != before.get(name) and name not in but]
    return [f"{name}={given.get(name)} (was {before.get(name)})" for name in names]


def _continues(recipe, folder):
    """Returns whether a finished run is to get more epochs, warns how; refuses it after early stopping."""
    if not (folder.recipe.exists() and folder.metrics.exists()):
        return False
    before, trained = load_recipe(folder.recipe), len(read_history(folder.history).get("epoch", ()))
    if recipe.epochs <= before.epochs or changed_fields(folder, recipe, but=("epochs",)):
        return False
    if trained < before.epochs:
        if interrupted_line(folder, before.epochs):
            return False
        raise InputError(
            f"The run in {folder.path} was ended by early stopping after epoch {trained}: more epochs would "
            "not change it. Start in another folder with early_stopping_patience=none."
        )
    warn(
        f"The finished run continues from epoch {before.epochs} to {recipe.epochs}, with the learning rates "
        f"that a schedule over {counted(recipe.epochs, 'epoch')} has from there on: the result is not that "
        f"of {counted(recipe.epochs, 'epoch')} from the start."
    )
    return True


def _forget_evaluation(folder):
    """Removes what was found with fewer epochs."""
    if read_output_meaning(folder.path).none_below is not None:
        warn(
            "The probability below which the answer was none of these is that of fewer epochs, and is "
            f"dropped: fit it again with keras-vit evaluate {folder.path} --precision P."
        )
    folder.metrics.unlink()


def _check_same_recipe(recipe, folder, but):
    folder.check_started()
    changed = changed_fields(folder, recipe, but)
    if changed:
        is_shorter = [text.partition("=")[0] for text in changed] == ["epochs"]
        as_it_is = f" Without it, {AS_IT_IS}" if is_shorter and folder.model.exists() else ""
        raise InputError(
            f"resume=True (--resume) continues the recipe that {folder.path} started with, but "
            f"{', '.join(changed)} differ{'s' * (len(changed) == 1)}. Give the same fields, or another "
            f"folder.{as_it_is}"
        )
