"""The winner of a search: its recipe file, and its training with several seeds."""

import dataclasses
import statistics

from keras_vit.errors import ConditionError
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training.recipe_file import read_recipe, write_recipe
from keras_vit.training.report.history import read_history
from keras_vit.training.run import run_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.state.records import COMPLETED
from keras_vit.training.tuning.workers.isolation import isolated


def write_winner(plan, place, record):
    """Writes the winner's recipe file, unless it was written before."""
    if not place.recipe.exists():
        recipe = plan.space.recipe_of(record.values, seed=0, subset=plan.kept_subset)
        write_recipe(place.recipe, recipe, _docstring(plan, record, place))


def train_winner(plan, place, record, seeds, processes, job, say):
    """Trains the winner's recipe file with several seeds on all training images, each tested once.

    What was trained already, by the same command, is not trained again.

    Args:
        plan: keras_vit.training.tuning.plan.Plan.
        place: WinnerFolder, with `recipe.py`. Gets `seed-N`, `summary.json`.
        record: TrialRecord of the winner.
        seeds: int, how many.
        processes: keras_vit.training.tuning.workers.processes.Processes.
        job: keras_vit.training.tuning.workers.job.Job, of which recipe and run folder are replaced.
        say: called with a line before each training.

    Returns:
        dict, what `summary.json` holds, or None when all is to stop.

    Raises:
        ConditionError: a training failed.
    """
    recipe = read_recipe(str(place.recipe))
    for seed in range(seeds):
        run = RunFolder(place.seed(seed))
        if run.metrics.exists():
            continue
        say(f"training the winner, trial {record.id}, with seed {seed} ({seed + 1} of {seeds})")
        of_seed = dataclasses.replace(recipe, seed=seed)
        outcome = processes.run(run_final, lambda r=of_seed, run=run: _job(job, r, run))
        if outcome is None:
            return None
        if outcome[0] != COMPLETED:
            raise ConditionError(
                f"The winner could not be trained with seed {seed}: {outcome[1]}. See {run.path}/trial.log."
            )
    summary = _summary(plan, place, record, seeds)
    write_json(place.summary, summary)
    return summary


@isolated
def run_final(job, connection):
    """Trains, tests and reports in the process of one seed."""
    folder = RunFolder(job.run_dir)
    run_recipe(job.recipe, folder.path, data_dir=job.data_dir, resume=folder.recipe.exists())
    return COMPLETED, None


def _job(job, recipe, run):
    return dataclasses.replace(job, recipe=recipe, run_dir=str(run.path))


def _docstring(plan, record, place):
    return (
        f"The winner of `keras-vit tune {plan.name}`: trial {record.id}.\n\n"
        f"keras-vit train {place.recipe} --run-dir runs/winner\n\n"
        f"Chosen by {plan.objective[0]}, {record.score:.4f} in the search ({plan.tuner}, seed {plan.seed})."
    )


def _summary(plan, place, record, seeds):
    """What the seeds reached; the one to export is the best on validation data."""
    runs = []
    for seed in range(seeds):
        run = RunFolder(place.seed(seed))
        values = read_history(run.history)[plan.objective[0]]
        best = values.max() if plan.objective[1] == "max" else values.min()
        metrics = {k: v for k, v in read_json(run.metrics, dict).items() if isinstance(v, int | float)}
        runs.append({"seed": seed, plan.objective[0]: float(best), "test": metrics})
    figures = ("accuracy", "cross_entropy")
    tested = {name: [run["test"][name] for run in runs] for name in figures if name in runs[0]["test"]}
    sign = 1 if plan.objective[1] == "max" else -1
    return {
        "trial": record.id,
        "values": record.fields,
        "footprint": record.footprint,
        "rule": f"best {plan.objective[0]} within the limits, ties by latency",
        "limits": plan.limits.given,
        plan.objective[0]: record.score,
        "runs": runs,
        "test_mean": {name: statistics.fmean(values) for name, values in tested.items()},
        "test_spread": {n: statistics.stdev(v) if len(v) > 1 else 0.0 for n, v in tested.items()},
        "exported_seed": max(runs, key=lambda run: sign * run[plan.objective[0]])["seed"],
    }
