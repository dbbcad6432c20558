"""The public function of this package."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Unpack

import keras_tuner

from keras_vit.constraints import Range, typed
from keras_vit.training.recipe import Recipe
from keras_vit.training.recipe_file import read_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.costs import LimitOptions, Limits
from keras_vit.training.tuning.results.display import trials_table
from keras_vit.training.tuning.search_run import join, run_search
from keras_vit.training.tuning.source import planned_search
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.records import TrialRecord


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What a search found; on a machine that joined a search, the trials that ran there and no winner."""

    run_dir: Path
    objective: tuple[str, str]  # (name, "min" or "max")
    records: list[TrialRecord]
    winner: TrialRecord | None = None
    summary: dict | None = None  # what the winner's `summary.json` holds; None when it was not trained again
    held: Any = None  # of a builder: the GivenData that files of the winner can be verified on

    @property
    def recipe_file(self) -> Path | None:
        """Path of the winner's recipe, which `keras-vit train` accepts; None for a builder."""
        return self._existing("recipe")

    @property
    def hyperparameters_file(self) -> Path | None:
        """Path of the winner's hyperparameters, of a builder: a config of `keras_tuner.HyperParameters`."""
        return self._existing("hyperparameters")

    @property
    def model_file(self) -> Path | None:
        """Path of the winner's `model.keras`, of a builder that was trained again."""
        return self._existing("model")

    @property
    def best_run(self) -> Path | None:
        """Path of the winner's run folder with the best seed on validation data."""
        return self.summary and self._winner_folder.seed(self.summary["exported_seed"])

    def held_inputs(self) -> Any:
        """Returns the validation inputs of a search over a builder, arrays or a dataset; else training's."""
        data = self.held.load("validation")
        return data[0] if isinstance(data, tuple) else data

    def _existing(self, name):
        path = self.winner and getattr(self._winner_folder, name)
        return path if path and path.exists() else None

    @property
    def _winner_folder(self):
        return SearchFolder(self.run_dir).winner(self.winner.id)

    def table(self):
        """Returns a `rich.table.Table` of the best trials and those on a Pareto front."""
        return trials_table(self.records, self.objective, self.winner)


@typed
def search(
    source: Any,
    run_dir: str | Path,
    *,
    train: Any = None,
    validation: Any = None,
    epochs: Annotated[int | None, Range(1)] = None,
    batch_size: Annotated[int | None, Range(1)] = None,
    overrides: Sequence[str] = (),
    tuner: str = "random",
    trials: Annotated[int, Range(1)] = 30,
    objective: str | keras_tuner.Objective | None = None,
    subset: Annotated[int | None, Range(1)] = None,
    measure: bool | Callable[..., dict] = False,
    relative_to: str | Path | Recipe | None = None,
    seed: Annotated[int, Range(0)] = 0,
    seeds: Annotated[int, Range(0)] = 3,
    workers: Annotated[int, Range(1)] = 1,
    data_dir: str | Path | None = None,
    coordinator: str | None = None,
    join_at: str | None = None,
    **limits: Unpack[LimitOptions],
) -> SearchResult:
    """Searches for the model with the best validation score that is within the limits.

    What varies are the fields of a recipe, or what a function `build(hp)` makes of hyperparameters, as with
    KerasTuner. Each trial runs in its own process. The same call resumes an interrupted search, also with
    more trials.

    Args:
        source: what to search. For recipes: a name of `keras-vit list searches`; the name of a recipe, of
            which `overrides` say what varies; the path of a `.py` file that defines `SEARCH`; or a Search.
            For models of your own: a function `build(hp)` that returns a compiled keras.Model, a
            keras_tuner.HyperModel (a class or an instance, also with its own `fit`), `"module:build"`, or the
            path of a `.py` file that defines `build`, `train` and `validation`. The code of files and modules
            is run.
        run_dir: str or Path of a folder for this search.
        train, validation: data of a builder: `(x, y)` or `(x, y, sample_weight)` of arrays, also dicts of
            arrays; a tf.data.Dataset or keras.utils.PyDataset; or a function, or its `"module:name"`, that
            returns one of these. Arrays are written to the run folder, where processes map them into memory.
            The elements of a tf.data.Dataset are written there once, a function is called by each process.
        epochs: int, of each trial of a builder; a HyperModel's own `fit` gets it only where it is given.
            Default: 10. Recipes have a field for it.
        batch_size: int, of arrays for a builder. Default: 32.
        overrides: sequence of str, of recipes: `"field=value"` fixes a field, `"field=a,b"` lets it be one
            of these, `"field=low:high"` draws it from that range.
        tuner: str, `"random"`, `"bayesian"`, `"hyperband"`, `"grid"` or `"asha"`. Default: `"random"`.
        trials: int, at least 1, models to train; Hyperband derives it from the epochs. Default: 30.
        objective: str, the name of a logged metric such as `"val_auc"`, `"min:NAME"` or `"max:NAME"` where
            the name does not say which values are better, or a keras_tuner.Objective. Default: of recipes
            what early stopping watches for their data, such as balanced accuracy of very unequal classes, of
            builders `"val_loss"`.
        subset: int, training images of a recipe's trial, the same number of each class. The winner is trained
            on all. Default: all.
        measure: bool, or function of a module. True measures size and latency of the float32 TFLite file of
            each trial's model and the operations for one item, also without limits, for the Pareto fronts.
            A function `measure(model, example, *, reference, keep)` gets one item of the inputs, and paths
            or None: it returns a dict with `size_bytes` and `latency_ms` (and `reference_latency_ms` of the
            file `reference`), and keeps the model's file as `keep`. `keras_vit.export` has
            `int8_footprint`, for limits on the `dynamic_int8` file. Default: False, measured where a limit
            needs it.
        relative_to: Recipe, or str or Path, a recipe's name or file, or a run folder, whose trained model is
            measured: what limits named `*_ratio` are relative to.
        seed: int, at least 0, of the proposals; each trial's own seed follows from it. Default: 0.
        seeds: int, at least 0, how often the winner is trained again. Default: 3.
        workers: int, trials at a time, one for each GPU, or each with a share of the processors. Default: 1.
        data_dir: str or Path, where TFDS keeps its data.
        coordinator: str, `"HOST:PORT"` where workers on other machines join; no trial runs here then.
        join_at: str, `"HOST:PORT"` of a coordinator whose trials run here.
        **limits: numbers that the model of a trial may not exceed, at least 0, checked before it is trained:
            `max_params`, `max_flops` (of one item), `max_size_mb` and `max_latency_ms` (one item, one thread)
            of the file that is measured, or relative to `relative_to` `max_params_ratio`, `max_flops_ratio`,
            `max_size_ratio`, `max_latency_ratio`.

    An interrupted trial of a recipe, or of a builder on arrays, continues bit-identically. With a dataset of
    yours the interrupted epoch starts again in the order that the dataset then has; a HyperModel's own `fit`
    starts again from its beginning.

    Returns:
        SearchResult. The folder holds `results.csv`, `pareto.csv`, pictures, and the winner's folder: of a
        recipe `recipe.py` and its runs, of a builder `hyperparameters.json`, `model.keras` and its runs.
        Unlike `keras-vit tune` it exports no file: of a recipe, `keras-vit export` takes the run
        `result.best_run`; of a builder, `export_model` takes the model in `result.model_file`.

    Raises:
        InputError: an argument is unknown or impossible, the folder holds something else, the data cannot be
            loaded, the builder fails or returns no compiled model, the objective is not logged, or no model
            is within the limits.
        ConditionError: too many consecutive trials failed, or a training of the winner.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import ImageRecipe, Search
        >>> recipe = ImageRecipe(variant="Pico/4", num_layers=1, hidden_dim=16, epochs=1, subset=640)
        >>> def space(hp):
        ...     hp.Float("learning_rate", 1e-3, 1e-2, sampling="log")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = search(Search(recipe, space), folder, trials=1, seeds=0)
        >>> len(result.records)
        1
    """
    planned = planned_search(
        source,
        recipes={"assignments": overrides, "subset": subset},
        builders={"train": train, "validation": validation, "epochs": epochs, "batch_size": batch_size},
        tuner=tuner,
        trials=trials,
        objective=objective,
        limits=Limits(**limits),
        **_reference_of(relative_to),
        measure=measure,
        seed=seed,
        data_dir=data_dir,
    )
    folder, here = SearchFolder(run_dir), {"workers": workers, "data_dir": data_dir}
    if join_at:
        return SearchResult(folder.path, planned.objective, join(planned, folder, join_at, **here))
    try:
        found = run_search(planned, folder, coordinator=coordinator, seeds=seeds, **here)
    except KeyboardInterrupt as error:
        error.add_note("The search was interrupted: the same call continues it.")
        raise
    data = getattr(planned.space, "data", {})
    return SearchResult(folder.path, planned.objective, *found, data.get("validation") or data.get("train"))


def _reference_of(given):
    """What a Plan says of the model that limits are relative to."""
    if given is None or isinstance(given, Recipe):
        return {"reference": given}
    saved = RunFolder(given).model
    return {"reference": read_recipe(str(given)), "reference_model": saved if saved.is_file() else None}
