"""The winner of a search: its recipe or hyperparameters, and its training with several seeds."""

import statistics
from collections.abc import Callable

from keras_vit.errors import ConditionError
from keras_vit.io.files import read_text, write_bytes
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training.metrics import ALL as METRICS
from keras_vit.training.recipe_file import read_recipe, write_recipe
from keras_vit.training.report.history import read_history
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.builders.work import hyperparameters_json
from keras_vit.training.tuning.plan import Plan
from keras_vit.training.tuning.state.folder import WinnerFolder
from keras_vit.training.tuning.state.records import COMPLETED, TrialRecord
from keras_vit.training.tuning.workers import trial
from keras_vit.training.tuning.workers.local_workers import LocalWorkers
from keras_vit.training.tuning.workers.recipe_work import RecipeWork

_OLD_IMPORT = "\nfrom training.recipe import Recipe"  # in files of version 0.1.0, which no longer load


def write_winner(plan: Plan, place: WinnerFolder, record: TrialRecord):
    """Writes the winner's recipe file, unless it exists; or the hyperparameters of a builder."""
    if plan.space.is_explored:
        write_json(place.hyperparameters, hyperparameters_json(plan.space.hyperparameters, record.fields))
        return
    if place.recipe.exists() and _OLD_IMPORT not in read_text(place.recipe):
        return
    docstring = (
        f"The winner of `keras-vit tune {plan.name}`: trial {record.id}.\n\n"
        f"keras-vit train {place.recipe} --run-dir runs/winner\n\n"
        f"Chosen by {plan.objective[0]}, {record.score:.4f} in the search ({plan.tuner}, seed {plan.seed})."
    )
    subset = {"subset": plan.kept_subset} if "subset" in plan.space.recipe.types() else {}
    recipe = plan.space.recipe_of(record.values, seed=0, **subset)
    write_recipe(place.recipe, recipe, docstring)


def train_winner(
    workers: LocalWorkers, place: WinnerFolder, record: TrialRecord, seeds: int, show: Callable[[str], object]
) -> dict | None:
    """Trains the winner with several seeds on all training data; runs of its recipe file are tested once.

    The model of a builder's best run is copied to the winner's folder. Runs that are complete are not
    repeated. Returns the content of `summary.json`, or None when everything has to stop. A training that
    fails raises a ConditionError.
    """
    for seed in range(seeds):
        run = RunFolder(place.seed(seed))
        if run.metrics.exists():
            continue
        show(f"training the winner, trial {record.id}, with seed {seed} ({seed + 1} of {seeds})")
        outcome = workers.run(trial.train_winner, _work(workers.plan, place, record, seed), run.path)
        if outcome is None:
            return None
        if outcome[0] != COMPLETED:
            raise ConditionError(
                f"The winner could not be trained with seed {seed}: {outcome[1]}. See {run.path}/trial.log."
            )
    summary = _summary(workers.plan, place, record, seeds)
    if workers.plan.space.is_explored:
        write_bytes(place.model, RunFolder(place.seed(summary["exported_seed"])).model.read_bytes())
    write_json(place.summary, summary)
    return summary


def _work(plan, place, record, seed):
    if plan.space.is_explored:
        return plan.space.work_of(record.fields, seed)
    return RecipeWork(read_recipe(str(place.recipe)).replace(seed=seed))


def _summary(plan, place, record, seeds):
    """Returns the results of all seeds; the one to export is the best on validation data."""
    objective, direction = plan.objective
    best_of = max if direction == "max" else min
    runs, split = [], "validation" if plan.space.is_explored else "test"
    for seed in range(seeds):
        run = RunFolder(place.seed(seed))
        metrics = read_json(run.metrics, dict)
        if plan.space.is_explored:
            best, shown = metrics[objective], metrics
        else:
            best = float(best_of(read_history(run.history)[objective]))
            shown = {metric.key: metric.find(metrics) for metric in METRICS}
        figures = {name: v for name, v in {**metrics, **shown}.items() if isinstance(v, int | float)}
        runs.append({"seed": seed, objective: best, split: figures})
    tested = {name: [run[split][name] for run in runs] for name in shown if name in runs[0][split]}
    return {
        "trial": record.id,
        "values": record.fields,
        "footprint": record.footprint,
        "rule": f"best {objective} within the limits, ties by latency",
        "limits": plan.limits.given,
        objective: record.score,
        "runs": runs,
        f"{split}_mean": {name: statistics.fmean(values) for name, values in tested.items()},
        f"{split}_spread": {n: statistics.stdev(v) if len(v) > 1 else 0.0 for n, v in tested.items()},
        "exported_seed": best_of(runs, key=lambda run: run[objective])["seed"],
    }
