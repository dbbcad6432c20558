"""What a search does, validated before it starts."""

import contextlib
import dataclasses
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from keras_vit.errors import InputError, Notice, first_line, listed, warn
from keras_vit.importing import import_named
from keras_vit.training.load import found_in
from keras_vit.training.recipe import Recipe
from keras_vit.training.searches import read_search
from keras_vit.training.tasks import task_of
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.builders.builder import WHAT
from keras_vit.training.tuning.builders.given_data import EXPECTED
from keras_vit.training.tuning.builders.sent import Sent
from keras_vit.training.tuning.builders.space import BATCH_SIZE, BuilderSpace
from keras_vit.training.tuning.costs import NO_LIMITS, Limits
from keras_vit.training.tuning.objectives import direction_of, read_objective
from keras_vit.training.tuning.space.space import Space, build_space
from keras_vit.training.tuning.state.oracles import STAGED, TUNERS

AS_TENSORFLOW = "FLOPs, size and latency are measured of models as TensorFlow runs them"
# By name, as parts of users are: training imports nothing of export.
OF_RECIPES = "keras_vit.export.footprint:classifier_footprint"
OF_BUILDERS = "keras_vit.export.footprint:footprint"


@dataclasses.dataclass(frozen=True)
class Plan:
    """A validated search; fields that are arguments of `keras_vit.training.tuning.api.search` mean the same.

    Raises:
        InputError: a tuner, a number of trials, limits or a measure that is not possible.
    """

    name: str
    space: Space | BuilderSpace
    objective: tuple[str, str]  # (name, "min" or "max")
    tuner: str = "random"
    trials: int = 30
    seed: int = 0
    limits: Limits = NO_LIMITS
    reference: Recipe | None = None  # that ratios among the limits refer to
    reference_model: Path | None = None  # the model of its run, where it is one
    measure: Callable[..., dict] | None = None
    kept_subset: int | None = None  # training images of the winner; None for all
    found: tuple[str, ...] = ()  # lines on the data of recipes, as a training prints them

    def __post_init__(self):
        if self.tuner not in TUNERS:
            raise InputError(f"Unknown tuner {self.tuner!r}. Expected one of {', '.join(TUNERS)}.")
        if self.trials < 1:
            raise InputError(f"Expected at least 1 trial, received {self.trials}.")
        _check_measure(self.measure)
        _check_limits(self.limits, self.reference, self.measure)

    @property
    def measure_name(self):
        """How a journal names `measure`."""
        return self.measure and f"{self.measure.__module__}:{self.measure.__qualname__}"


def plan(
    source: str | Path | Search,
    assignments: Sequence[str] = (),
    *,
    objective: str | keras_tuner.Objective | None = None,
    subset: int | None = None,
    data_dir: str | Path | None = None,
    **options: Any,  # fields of `Plan`
) -> Plan:
    """Validates a search for recipes; `assignments` are the `overrides` of `search`."""
    name, search = read_search(source)
    base = search.recipe.replace(split_seed=search.recipe.data_seed)
    assignments = _with_one_budget(options.get("tuner"), base, assignments)
    search = dataclasses.replace(search, recipe=base)
    space = build_space(search, assignments)
    kept_subset = getattr(space.recipe, "subset", None)
    if space.left_out:
        warn(
            f"model={space.recipe.model} with its own defaults: {listed(space.left_out)} of the search are "
            f"arguments of {base.model} and left out, not varied.",
            Notice,
        )
    task, found = _knowing(task_of(_with_subset(space, subset).recipe), data_dir)
    if unused := _unused(task, space, assignments):
        warn(f"Not searched, since the labels of the data have no use for it: {listed(unused)}.")
        space = build_space(search, [*assignments, *(f"{field}=0" for field in unused)])
    space = _with_subset(space, subset)
    objective = _objective_of(task, objective)
    if task.measurable:
        options["measure"] = _measure(OF_RECIPES, **options)
    else:
        _check_parameters_alone(options.get("limits", NO_LIMITS), space.recipe.model)
        options["measure"] = None
    planned = Plan(name, space, objective, kept_subset=kept_subset, found=found, **options)
    for recipe in space.extremes():
        task_of(recipe)
    _check_losses(objective[0], space)
    return planned


def plan_builder(
    builder: Any,
    train: Any,
    validation: Any = None,
    *,
    name: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    objective: str | keras_tuner.Objective | None = None,
    **options: Any,  # fields of `Plan`
) -> Plan:
    """Validates a search over a builder."""
    for option, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InputError(f"Expected {option} to be a whole number of at least 1, received {value!r}.")
    if train is None:
        raise InputError(f"A search over a builder needs data: give train as {EXPECTED}.")
    objective = read_objective(objective or ("val_loss" if validation is not None else "loss"))
    sent = Sent.of(builder, WHAT)
    space = BuilderSpace(
        sent, {"train": train, "validation": validation}, objective, epochs, batch_size or BATCH_SIZE
    )
    options["measure"] = _measure(OF_BUILDERS, **options)
    return Plan(name or sent.name, space, objective, **options)


def _measure(default, measure=False, limits=NO_LIMITS, **_):
    """Returns the function that measures models: the given one, or the default where one is needed."""
    is_needed = measure is True or not measure and limits.needs_measuring
    if is_needed and keras.backend.backend() == "tensorflow":
        return import_named(default, "measure")
    return measure or None


def _with_subset(space, subset):
    if subset is None:
        return space
    return dataclasses.replace(space, recipe=space.recipe.replace(subset=subset))


def _unused(task, space, assignments):
    """The fields that vary, not by the user's wish, and have no effect with the labels of the data."""
    named = {assignment.partition("=")[0] for assignment in assignments}
    return [field for field in task.unused if field in space.description() and field not in named]


def _knowing(task, data_dir):
    """The task with what its data decide, and lines on them; they may be on the workers' machines alone."""
    with contextlib.suppress(InputError):
        data = task.load_data(data_dir)
        task = task.knowing(data)
        return task, tuple(found_in(data, task))
    return task, ()


def _objective_of(task, given):
    """Returns name and direction of a metric that the task logs; by default the one that it watches."""
    given, known = given or task.monitor[0], task.logged()
    is_plain = isinstance(given, str) and ":" not in given
    name, direction = (given, known.get(given)) if is_plain else read_objective(given)
    if name not in known:
        raise InputError(f"{name!r} is not logged. Expected --objective {' or '.join(known)}.")
    return name, direction or direction_of(name)


def _check_measure(measure):
    if measure is not None and keras.backend.backend() != "tensorflow":
        raise InputError(f"{AS_TENSORFLOW}: leave measure out, or unset KERAS_BACKEND.")
    try:
        pickle.dumps(measure)
        if measure is not None and not (measure.__module__ and measure.__qualname__):
            raise AttributeError("it has no name")
    except Exception as error:  # pickle raises many kinds
        raise InputError(
            f"Expected measure to be a function of a module, because it is sent to processes; received "
            f"{measure!r} ({first_line(error)}). Define it at the top level of a module."
        ) from error


def _check_losses(objective, space):
    """The validation loss is that of the training: it compares trials only where all have the same."""
    varying = [field for field in ("label_smoothing", "loss") if field in space.description()]
    if objective == "val_loss" and varying:
        fixed = " ".join(f"{field}={getattr(space.recipe, field)}" for field in varying)
        raise InputError(
            f"val_loss does not compare trials that differ in {' and '.join(varying)}. Fix it, as in {fixed}."
        )


def _check_limits(limits, reference, measure):
    if limits.needs_reference != (reference is not None):
        raise InputError(
            "Expected relative_to (--relative-to) and a limit that is a ratio, such as max_latency_ratio=0.7 "
            "(--max-latency-ratio), together: a ratio is relative to that model."
        )
    if limits.needs_measuring and measure is None:  # by another backend
        raise InputError(f"{AS_TENSORFLOW}: unset KERAS_BACKEND, or limit parameters, --max-params.")


def _check_parameters_alone(limits, model):
    if limits.needs_measuring:
        raise InputError(
            f"FLOPs, size and latency are measured of image models as TensorFlow runs them, which {model} is "
            "not. Limit its parameters: --max-params."
        )


def _with_one_budget(tuner, recipe, assignments):
    """Fixes the epochs for tuners that give trials different numbers of them: all share one schedule."""
    if tuner not in STAGED:
        return assignments
    named = [assignment for assignment in assignments if assignment.startswith("epochs=")]
    if named and not named[-1].removeprefix("epochs=").isdecimal():
        raise InputError(
            f"{tuner} decides the epochs of each trial: expected one number, as in epochs={recipe.epochs}."
        )
    return [*assignments, *([] if named else [f"epochs={recipe.epochs}"])]
