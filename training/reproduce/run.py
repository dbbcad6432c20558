"""Runs the missing runs of an experiment and writes its results."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from keras_vit.errors import InputError
from keras_vit.io.files import write_bytes, write_text
from keras_vit.training.callbacks import NonFiniteError
from keras_vit.training.recipe import override
from keras_vit.training.reproduce.experiment import Experiment
from keras_vit.training.reproduce.page import write_pages
from keras_vit.training.reproduce.results import (
    Computation,
    compute,
    read_rows,
    recorded_runs,
    run_dir,
    table,
    write_results,
)
from keras_vit.training.run import changed_fields, train
from keras_vit.training.run_folder import RunFolder

MOVED = ("pretrained",)  # fields that may differ: a moved folder contains the same runs


def reproduce(
    name: str,
    experiment: Experiment | Computation,
    folder: str | Path,
    *,
    quick: bool = False,
    only: Sequence[str] | None = None,
    data_dir: str | Path | None = None,
    show: Callable[[str], object] = lambda line: None,
) -> list[dict]:
    """Runs an experiment, or the rest of it, and compares our results with the report's.

    Every run is a run folder below `FOLDER/NAME/runs`: finished ones are not repeated, an interrupted one is
    resumed. Those that `FOLDER/NAME/results.json` contains with the same recipe are not repeated either,
    unless another line starts from their weights. The results are written after each run, so that an
    interruption leaves the results so far, with the rest marked as not run; a Computation is always
    repeated. `quick` trains next to nothing, to check that everything runs; its results mean nothing.
    `only` has the labels of the configurations to run, and `show` gets a line before each run. Returns the
    rows of `results.json`.
    """
    place = results_dir(name, experiment, folder, quick)
    if isinstance(experiment, Computation):
        if only:
            raise InputError(f"Experiment {name!r} trains nothing: expected no labels, received {only[0]!r}.")
        rows = compute(name, experiment, place)
        write_pages(folder)
        return rows
    wanted, runs = experiment.chosen(only), place / "runs"
    _check_finished(experiment, runs, quick)
    plan = planned(wanted, quick)
    for number, (configuration, seed) in enumerate(plan, start=1):
        show(f"{name}: {configuration.label}, seed {seed} ({number} of {len(plan)})")
        needed = any(c.pretrained_by == configuration.label for c in wanted)
        if not needed and any(seed in known for known in recorded_runs(configuration, place)):
            continue
        if _run(experiment, configuration, seed, runs, quick, data_dir, show):
            _write(name, experiment, place, quick)
    return _write(name, experiment, place, quick)


def planned(configurations, quick=False):
    """Returns the runs in order, as pairs of a configuration and a seed.

    The first seed of every line comes before any second one, so that an interruption leaves lines to compare.
    """
    most = 1 if quick else max((len(c.seeds) for c in configurations), default=0)
    return [(c, c.seeds[place]) for place in range(most) for c in configurations if place < len(c.seeds)]


def results_dir(name, experiment, folder, quick=False):
    """Returns the folder of results: a separate one for smoke runs, which never replace full results."""
    smoke = quick and not isinstance(experiment, Computation)
    return Path(folder) / (f"{name}-quick" if smoke else name)


def _check_finished(experiment, runs, quick):
    """Checks the finished runs of all lines, selected or not: the table contains all of them."""
    for configuration in experiment.configurations:
        for seed in configuration.seeds:
            folder = RunFolder(run_dir(runs, configuration, seed))
            if not _is_done(folder):
                continue
            recipe = _recipe(experiment, configuration, seed, runs, quick)
            if changed := changed_fields(folder, recipe, but=MOVED):
                raise InputError(
                    f"{folder.path} contains a run of another recipe: {', '.join(changed)}. Choose another "
                    "--run-dir."
                )


def _recipe(experiment, configuration, seed, runs, quick):
    recipe = configuration.recipe.replace(seed=seed)
    if configuration.pretrained_by is not None:
        source = experiment.labelled(configuration.pretrained_by)
        recipe = recipe.replace(pretrained=str(run_dir(runs, source, source.seeds[0])))
    return override(recipe, experiment.quick) if quick else recipe


def _run(experiment, configuration, seed, runs, quick, data_dir, show):
    """Trains one run unless it is finished; returns whether it trained. A run that diverges is a result."""
    folder = RunFolder(run_dir(runs, configuration, seed))
    if _is_done(folder):
        return False
    recipe = _recipe(experiment, configuration, seed, runs, quick)
    try:
        train(recipe, folder.path, data_dir=data_dir, resume=folder.recipe.exists(), moved=MOVED)
    except NonFiniteError as error:
        write_text(folder.divergence, f"{error}\n")
        show(f"diverged: {error}")
    keras.utils.clear_session()  # otherwise the graphs of all runs stay in memory
    return True


def _is_done(folder):
    return folder.metrics.exists() or folder.divergence.exists()


def _write(name, experiment, place, quick):
    rows = read_rows(experiment, place)
    write_results(
        place,
        name,
        experiment,
        rows,
        table(experiment, rows, quick),
        plots=experiment.plots if any(row["runs"] for row in rows) else (),
        copied=_copy_from_reports(experiment, place),
        metric=experiment.metric,
        quick=quick,
        complete=all(len(row["runs"]) + len(row["diverged"]) == len(row["seeds"]) for row in rows),
    )
    write_pages(place.parent)
    return rows


def _copy_from_reports(experiment, place):
    """Copies the experiment's `report_pictures` from the report of each configuration's first run."""
    shown = []
    for configuration in experiment.configurations:
        run = run_dir(place / "runs", configuration, configuration.seeds[0])
        for name in experiment.report_pictures:
            source = run / "report" / f"{name}.png"
            file = f"{name}-{run.name}.png"
            if source.is_file():
                write_bytes(place / file, source.read_bytes())
            if (place / file).is_file():
                shown.append({"file": file, "caption": f"{configuration.label}: {name.replace('_', ' ')}."})
    return shown
