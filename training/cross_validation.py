"""Cross-validation: each image is tested once, by a model that was trained without it and its group."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training.data.split import MOST_FOLDS
from keras_vit.training.devices.engine import PROCESSES
from keras_vit.training.metrics import IMAGES, LABELS, NUMBERS
from keras_vit.training.recipe import ImageRecipe, Recipe
from keras_vit.training.recipe_file import read_recipe
from keras_vit.training.run import changed_fields, train
from keras_vit.training.run_folder import RunFolder


def cross_validate(
    recipe: Recipe | str | Path,
    run_dir: str | Path,
    *,
    folds: int,
    data: Any = None,
    data_dir: str | Path | None = None,
    checkpoint_every: str | None = None,
    devices: str | int | None = None,
) -> dict[str, Any]:
    """Trains a recipe of images once for each of several folds, which is its test split.

    Folds have about the same share of each class; images that stay together, as `group` and
    `near_duplicates` of the recipe say, are in one fold. They are made of the training and the validation
    images of the data; a given test split is in none. Each fold has a run folder, `fold_1` and so on, which
    can be evaluated and exported like any other. The same call continues after an interruption: finished
    folds are left as they are.

    Args:
        recipe: as `train` takes it, of images, without `fold`.
        run_dir: str or Path of the folder for the folds and `folds.json`.
        folds: int, of at least 2 and at most the images, or groups, of the smallest class.
        data: as `train` takes it, except ImageData. Default: what the recipe's `data` names.
        data_dir: str or Path, where TFDS keeps its data. Default: TFDS's own.
        checkpoint_every: str as for `train`.
        devices: int or str as for `train`, of one process.

    Returns:
        dict, what `folds.json` holds: for each metric its `mean`, the `std` between the folds (of a sample,
        divided by their number less one) and the `values` of all folds.

    Raises:
        InputError: bad recipe, data or folder, more folds than the smallest class can fill, or several
            processes that would train together.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import ImageRecipe
        >>> recipe = ImageRecipe(data="digits", model="linear", epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = cross_validate(recipe, folder, folds=2)
        ...     len(found["metrics"]["accuracy"]["values"]), sum(found["num_images"])
        (2, 1797)
    """
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(str(recipe))
    folder = RunFolder(run_dir)
    _check(recipe, folder)
    _check_alone(devices)
    every = [recipe.replace(fold=f"{number}/{folds}") for number in range(1, _count(folds) + 1)]
    found = []
    for number, of_fold in enumerate(every, start=1):
        place = RunFolder(folder.path / f"fold_{number}")
        if not _is_finished(place, of_fold):
            keras.utils.clear_session()  # layers are named as in a process of its own
            train(
                of_fold,
                place.path,
                data=data,
                data_dir=data_dir,
                resume=place.recipe.exists(),
                checkpoint_every=checkpoint_every,
                devices=devices,
            )
        found.append(read_json(place.metrics, dict))
        result = summarised(found, folds)
        write_json(folder.folds, result)
    return result


def summarised(found: list[Mapping[str, Any]], folds: int) -> dict[str, Any]:
    """Returns what `folds.json` holds, given `metrics.json` of the folds that are finished."""
    shown = _rows(lambda row: row.find(found[0]) is not None)
    rows = {row.key: [row.find(metrics) for metrics in found] for row in shown}
    complete = {key: values for key, values in rows.items() if None not in values}
    return {
        "folds": folds,
        "finished": len(found),
        "data": found[0]["data"],
        "num_images": [metrics["num_images"] for metrics in found],
        "metrics": {
            key: {
                "mean": float(np.mean(values)),
                "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "values": values,
            }
            for key, values in complete.items()
        },
    }


def lines(result: Mapping[str, Any]) -> list[str]:
    """Returns the result of `cross_validate` for people: each metric's mean, deviation and values."""
    images, shown = sum(result["num_images"]), result["metrics"]
    found = [
        f"{result['data']}, {counted(result['folds'], 'fold')}, {counted(images, 'image')}, each tested once:"
    ]
    for row in _rows(lambda row: row.key in shown):
        if row.key in shown:
            mean, std = (row.format.format(shown[row.key][name]) for name in ("mean", "std"))
            values = ", ".join(row.format.format(value).split()[0] for value in shown[row.key]["values"])
            found.append(f"{row.label} {mean}, standard deviation {std} ({values})")
    return found


def _rows(has):
    """The rows of the kind of labels whose first metric there is."""
    return next(rows for rows in (IMAGES, LABELS, NUMBERS) if has(rows[0]))


def _check(recipe, folder):
    if not isinstance(recipe, ImageRecipe):
        raise InputError("Folds are made of images: expected the recipe of a classifier of images.")
    if recipe.fold is not None:
        raise InputError(f"The recipe has fold={recipe.fold}, one of several folds: leave it out.")
    if folder.recipe.exists():
        raise InputError(f"{folder.path} contains a run that is no fold. Choose another folder.")


def _check_alone(devices):
    processes = os.environ.get(PROCESSES, "1")
    if devices is not None and processes != "1":
        raise InputError(
            f"Folds are trained by one process with all its devices, and {PROCESSES}={processes}: unset it, "
            "or let the processes train one fold after another, with fold=1/5, fold=2/5 and so on instead of "
            "--folds."
        )


def _count(folds):
    if not (isinstance(folds, int) and 2 <= folds <= MOST_FOLDS):
        raise InputError(f"Expected 2 to {MOST_FOLDS:,} folds, received {folds!r}.")
    return folds


def _is_finished(place, recipe):
    if not (place.recipe.exists() and place.metrics.exists()):
        return False
    if changed := changed_fields(place, recipe):
        raise InputError(
            f"{place.path} contains a run of another recipe: {', '.join(changed)}. Give the same fields, or "
            "another folder."
        )
    return True
