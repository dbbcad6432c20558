"""What a search is to do, checked before anything is begun."""

import dataclasses

from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.searches import find_search
from keras_vit.training.tasks import task_of
from keras_vit.training.tuning.costs import NO_LIMITS, Limits
from keras_vit.training.tuning.space.space import Space, build_space
from keras_vit.training.tuning.state.oracles import STAGED, TUNERS

OBJECTIVES = {"val_accuracy": "max", "val_loss": "min"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """A search. Made by `plan`.

    Attributes:
        name: str, of a module of `keras_vit.training.searches`.
        space: Space.
        tuner: str, a key of `keras_vit.training.tuning.state.oracles.TUNERS`.
        objective: `(name, "min" or "max")`.
        trials: int, models to train at most.
        seed: int, of the proposals.
        limits: Limits.
        reference: Recipe of the model that they are relative to, or None.
        measure: str, see `keras_vit.training.tuning.workers.job.Job`, or None.
        kept_subset: int or None, the training images that the winner is trained on, too; None for all.
    """

    name: str
    space: Space
    tuner: str
    objective: tuple[str, str]
    trials: int
    seed: int
    limits: Limits
    reference: Recipe | None
    measure: str | None
    kept_subset: int | None


def plan(
    name,
    assignments=(),
    *,
    tuner="random",
    trials=30,
    objective=None,
    subset=None,
    limits=NO_LIMITS,
    reference=None,
    measure=None,
    seed=0,
):
    """Checks what a search is to do.

    Args:
        name: str, of a module of `keras_vit.training.searches`.
        assignments: list of str that narrow it, see `keras_vit.training.tuning.space.space.build_space`.
        tuner: str, a key of `keras_vit.training.tuning.state.oracles.TUNERS`.
        trials: int, models to train at most; Hyperband derives it from the epochs.
        objective: `"val_accuracy"`, `"val_loss"`, or None for what the task watches.
        subset: int, training images of a trial, the same of each class; None for all. The winner is trained
            on all of them nevertheless; `subset=N` among the assignments is for the winner, too.
        limits: Limits.
        reference: Recipe of the model that ratios among the limits are relative to, or None.
        measure: str, see `keras_vit.training.tuning.workers.job.Job`; used for images only.
        seed: int, of the proposals; each trial's own seed follows from it.

    Returns:
        Plan.

    Raises:
        InputError: something of this is unknown, or cannot be.
    """
    search = find_search(name).SEARCH
    if tuner not in TUNERS:
        raise InputError(f"Unknown tuner {tuner!r}. Expected one of {', '.join(TUNERS)}.")
    if trials < 1:
        raise InputError(f"Expected at least 1 trial, received {trials}.")
    base = dataclasses.replace(search.recipe, split_seed=search.recipe.data_seed)
    assignments = _with_one_budget(tuner, base, assignments)
    space = build_space(dataclasses.replace(search, recipe=base), assignments)
    kept_subset = space.recipe.subset
    if subset is not None:
        space = dataclasses.replace(space, recipe=dataclasses.replace(space.recipe, subset=subset))
    task = task_of(space.recipe)
    objective = objective or task.monitor[0]
    if objective not in OBJECTIVES:
        raise InputError(f"{objective!r} is not logged. Expected --objective {' or '.join(OBJECTIVES)}.")
    measure = measure if task.measurable else None
    for recipe in space.extremes():
        task_of(recipe)
    _check_losses(objective, space)
    _check_limits(limits, reference, measure, space.recipe.model)
    return Plan(
        name=name,
        space=space,
        tuner=tuner,
        objective=(objective, OBJECTIVES[objective]),
        trials=trials,
        seed=seed,
        limits=limits,
        reference=reference,
        measure=measure,
        kept_subset=kept_subset,
    )


def _check_losses(objective, space):
    """The loss on validation images is that of the training, so that it compares only where that is one."""
    varying = [field for field in ("label_smoothing", "loss") if field in space.described()]
    if objective == "val_loss" and varying:
        fixed = " ".join(f"{field}={getattr(space.recipe, field)}" for field in varying)
        raise InputError(
            f"val_loss does not compare trials that differ in {' and '.join(varying)}. Fix it, as in {fixed}."
        )


def _check_limits(limits, reference, measure, model):
    if limits.needs_reference != (reference is not None):
        raise InputError(
            "Expected --relative-to and a limit that is a ratio, such as --max-latency-ratio 0.7, together: "
            "one says what the other is relative to."
        )
    if limits.needs_measuring and measure is None:
        raise InputError(
            f"FLOPs, size and latency are measured of image models as TensorFlow runs them, which "
            f"{model} is not. Limit its parameters: --max-params."
        )


def _with_one_budget(tuner, recipe, assignments):
    """For tuners that give trials different numbers of epochs: all of them have one schedule."""
    if tuner not in STAGED:
        return assignments
    named = [assignment for assignment in assignments if assignment.startswith("epochs=")]
    if named and not named[-1].removeprefix("epochs=").isdecimal():
        raise InputError(
            f"{tuner} gives out the epochs itself: expected one number, as in epochs={recipe.epochs}."
        )
    return [*assignments, *([] if named else [f"epochs={recipe.epochs}"])]
