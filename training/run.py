"""A whole run: train, evaluate on the test split, write the report."""

import dataclasses

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.files import load_model, write_json
from training.build import load_recipe_data
from training.evaluate import evaluate
from training.fit import fit
from training.recipe import load_recipe
from training.report import write_report
from training.run_folder import RunFolder


def run_recipe(recipe, run_dir, *, data_dir=None, resume=False):
    """Trains a recipe, evaluates its best model on the test split and writes the report.

    Args:
        recipe: Recipe. With `resume` it must be the one that the run began with.
        run_dir: str or Path of the run folder.
        data_dir: str, Path or None, where TFDS keeps its data.
        resume: bool, go on with an interrupted run.

    Returns:
        dict, what `metrics.json` holds.

    Raises:
        InputError: bad recipe, data or folder.
        ConditionError: loss or weights are no longer finite.
    """
    if resume:
        _check_same_recipe(recipe, RunFolder(run_dir))
    data = load_recipe_data(recipe, data_dir)
    model = fit(recipe, run_dir, data=data, resume=resume)
    return _evaluate(RunFolder(run_dir), recipe, model, data)


def evaluate_run(run_dir, *, data_dir=None):
    """Evaluates a run's model on its test split; writes `metrics.json` and `report/` anew.

    Returns:
        dict, what `metrics.json` holds.

    Raises:
        InputError: no trained run lies there, or its data cannot be loaded.
    """
    folder = RunFolder(run_dir)
    folder.check_trained()
    recipe = load_recipe(folder.recipe)
    model = load_model(folder.model)
    data = load_recipe_data(recipe, data_dir)
    check_labels(folder, data)
    return _evaluate(folder, recipe, model, data)


def predict_probabilities(model, images, batch_size=256):
    """Returns the softmax of a model's logits, `(n, num_classes)` float32."""
    logits = model.predict(images, batch_size=batch_size, verbose=0).astype("float64")
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype("float32")


def check_labels(folder, data):
    """Raises InputError when the data's classes are not those that the run was trained on."""
    trained = folder.label_names()
    if trained != tuple(data.label_names):
        raise InputError(
            f"The data have other classes than {folder.path} was trained on: expected {len(trained)} "
            f"({', '.join(trained[:5])} ...), received {len(data.label_names)} "
            f"({', '.join(data.label_names[:5])} ...)."
        )


def _evaluate(folder, recipe, model, data):
    probabilities = predict_probabilities(model, data.test.images)
    metrics = {
        "data": data.name,
        "split": "test",
        "num_images": len(data.test.labels),
        "parameters": model.count_params(),
        "backend": keras.backend.backend(),
        **evaluate(probabilities, data.test.labels, data.label_names),
    }
    write_json(folder.metrics, metrics)
    write_report(folder.path, model, data, probabilities, metrics, folder.history, dataclasses.asdict(recipe))
    return metrics


def _check_same_recipe(recipe, folder):
    if not folder.recipe.exists():
        raise InputError(f"--resume found no run in {folder.path}. Leave --resume out to begin one.")
    begun, given = (dataclasses.asdict(r) for r in (load_recipe(folder.recipe), recipe))
    changed = [f"{k}={given[k]} (was {begun[k]})" for k in given if given[k] != begun[k]]
    if changed:
        raise InputError(
            f"--resume continues the recipe that {folder.path} began with, but {', '.join(changed)} "
            "differ. Give the same fields, or another --run-dir."
        )
