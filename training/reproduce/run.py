"""Runs what an experiment still lacks, and writes its table, plots and JSON."""

from pathlib import Path

import keras

from keras_vit.errors import InputError
from keras_vit.io.files import atomic_path, write_bytes, write_text
from keras_vit.io.json_files import write_json
from keras_vit.training.nonfinite import NonFiniteError
from keras_vit.training.recipe import override
from keras_vit.training.report.style import drawing, save
from keras_vit.training.reproduce.computation import Computation, compute
from keras_vit.training.reproduce.page import write_pages
from keras_vit.training.reproduce.results import document, read_rows, table
from keras_vit.training.reproduce.runs import run_dir
from keras_vit.training.run import changed_fields, train
from keras_vit.training.run_folder import RunFolder

MOVED = ("pretrained",)  # a folder that was moved holds the same runs, wherever their first weights lay


def reproduce(name, experiment, folder, *, quick=False, only=None, data_dir=None, say=None):
    """Runs an experiment, or what is left of it, and sets our figures beside the report's.

    Every run is a run folder of its own below `FOLDER/NAME/runs`: those that are there are not repeated, one
    that was interrupted is resumed. The results are written anew after each run, so that an interruption
    leaves the results of what was run, with the rest marked as not run.

    Args:
        name: str, the experiment's module.
        experiment: Experiment, or a Computation, which is always done anew.
        folder: str or Path. Gets `index.html`, and in the folder of `results_dir` `results.json`, `table.md`
            and the plots.
        quick: bool, train next to nothing: shows that all of it runs, says nothing of the figures.
        only: labels of the configurations to run, or None for all; of an Experiment.
        data_dir: str, Path or None, where TFDS keeps its data.
        say: called with a line before each run.

    Returns:
        list of dict, the rows of `results.json`.

    Raises:
        InputError: an unknown label, data that cannot be loaded, or a folder of other runs.
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
        if say:
            say(f"{name}: {configuration.label}, seed {seed} ({number} of {len(plan)})")
        if _run(experiment, configuration, seed, runs, quick, data_dir, say):
            _write(name, experiment, place, quick)
    return _write(name, experiment, place, quick)


def planned(configurations, quick=False):
    """Returns the runs in their order, as pairs of a configuration and a seed.

    Every line has its first seed before any has its second, so that an interruption leaves lines to compare.
    """
    most = 1 if quick else max((len(c.seeds) for c in configurations), default=0)
    return [(c, c.seeds[place]) for place in range(most) for c in configurations if place < len(c.seeds)]


def results_dir(name, experiment, folder, quick=False):
    """Returns where an experiment's results lie.

    Those of a smoke run lie apart, so that full results are never overwritten; a Computation has no other
    than full ones.
    """
    smoke = quick and not isinstance(experiment, Computation)
    return Path(folder) / (f"{name}-quick" if smoke else name)


def _check_finished(experiment, runs, quick):
    """Checks the finished runs of all lines, asked for or not: their figures are in the table."""
    for configuration in experiment.configurations:
        for seed in configuration.seeds:
            folder = RunFolder(run_dir(runs, configuration, seed))
            if not _is_done(folder):
                continue
            recipe = _recipe(experiment, configuration, seed, runs, quick)
            if changed := changed_fields(folder, recipe, but=MOVED):
                raise InputError(
                    f"{folder.path} holds a run of another recipe: {', '.join(changed)}. Choose another "
                    "--run-dir."
                )


def _recipe(experiment, configuration, seed, runs, quick):
    recipe = configuration.recipe.replace(seed=seed)
    if configuration.pretrained_by is not None:
        source = experiment.labelled(configuration.pretrained_by)
        recipe = recipe.replace(pretrained=str(run_dir(runs, source, source.seeds[0])))
    return override(recipe, experiment.quick) if quick else recipe


def _run(experiment, configuration, seed, runs, quick, data_dir, say):
    """Trains one run unless it is there; returns whether anything was done. One that diverges is a result."""
    folder = RunFolder(run_dir(runs, configuration, seed))
    if _is_done(folder):
        return False
    recipe = _recipe(experiment, configuration, seed, runs, quick)
    try:
        train(recipe, folder.path, data_dir=data_dir, resume=folder.recipe.exists(), moved=MOVED)
    except NonFiniteError as error:
        write_text(folder.divergence, f"{error}\n")
        if say:
            say(f"diverged: {error}")
    keras.utils.clear_session()  # or the graphs of all runs would stay in memory
    return True


def _is_done(folder):
    return folder.metrics.exists() or folder.divergence.exists()


def _write(name, experiment, place, quick):
    rows = read_rows(experiment, place / "runs")
    with drawing():
        drawn = [plot(rows) for plot in experiment.plots] if any(row["runs"] for row in rows) else []
        pictures = [picture for picture in drawn if picture]
        for file, _, canvas in pictures:
            with atomic_path(place / f"{file}.png") as temporary:
                save(canvas, temporary)
    shown = [{"file": f"{file}.png", "caption": caption} for file, caption, _ in pictures]
    shown += _from_reports(experiment, place)
    write_text(place / "table.md", table(experiment, rows, quick))
    results = document(name, experiment, rows, shown, quick)
    write_json(place / "results.json", results)  # at last: the page looks for it, and reads the table
    write_pages(place.parent)
    return rows


def _from_reports(experiment, place):
    """Copies what an experiment shows of the reports of each configuration's first run."""
    shown = []
    for configuration in experiment.configurations:
        run = run_dir(place / "runs", configuration, configuration.seeds[0])
        for name in experiment.report_pictures:
            source = run / "report" / f"{name}.png"
            if source.is_file():
                file = f"{name}-{run.name}.png"
                write_bytes(place / file, source.read_bytes())
                shown.append({"file": file, "caption": f"{configuration.label}: {name.replace('_', ' ')}."})
    return shown
