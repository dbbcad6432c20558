"""What is declared about a model's outputs: tasks, labels, a metric, and how much a file may lose."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.export.model.verify import Expected, Metric, measured
from keras_vit.export.tasks import TASKS, tasks_that_fit
from keras_vit.keras_internals import metric_direction

MAX_DROP = {True: 0.5, False: 1.0}  # by whether labels are given: points of the score, or of the variance


def expected_outputs(
    outputs: dict, task=None, labels=None, thresholds=None, none_below=None
) -> dict[str, Expected]:
    """Returns each output of a model, an array by name, with its task and its checked labels.

    `thresholds` are those of the one output whose task is labels, `none_below` that of classification.
    """
    tasks = _tasks(task, outputs)
    labels = _by_output(labels, outputs, tasks)
    found = {}
    for name, values in outputs.items():
        given = labels.get(name)
        if given is not None:
            given = tasks[name].labels(given, values.shape[1:])
            _check_length(given, values, repr(name))
        found[name] = Expected(values, tasks.get(name), given)
    found = found if thresholds is None else _with_thresholds(found, thresholds)
    if none_below is None:
        return found
    if not np.isfinite(none_below):
        raise InputError(f"Expected none_below as a finite number, received {none_below}.")
    name = _one_of(found, "classification", "none_below")
    return {**found, name: found[name]._replace(none_below=float(none_below))}


def own_metric(metric, higher_is_better, labels, outputs) -> Metric:
    """Returns a person's metric: a `keras.metrics.Metric`, or a function of labels and outputs.

    It is computed of the model's own outputs once, so that one that cannot be is an error before any file.
    """
    if labels is None or isinstance(labels, Mapping) and not labels:
        raise InputError("Expected labels for the metric, received none.")
    is_list = _is_list_for(labels, outputs)
    for given in labels.values() if isinstance(labels, Mapping) else labels if is_list else [labels]:
        _check_length(given, next(iter(outputs.values())), "the metric")
    function = metric
    if isinstance(metric, keras.metrics.Metric):
        direction = metric_direction(metric)
        higher_is_better = direction == "up" if higher_is_better is None and direction else higher_is_better

        def function(labels, outputs):
            metric.reset_state()
            metric.update_state(labels, outputs)
            return metric.result()

    elif not callable(metric):
        raise InputError(
            f"Expected metric to be a function of labels and outputs or a keras.metrics.Metric, received "
            f"{metric!r}."
        )
    name = getattr(metric, "name", getattr(metric, "__name__", "metric"))
    if higher_is_better is None:
        raise InputError(f"Expected higher_is_better=True or False for the metric {name}, received neither.")
    own = Metric(name, function, higher_is_better, labels)
    if not np.isfinite(value := measured(own, outputs)):
        raise InputError(
            f"Expected the metric {name} to be a finite number for the model's own outputs, received {value}."
        )
    return own


def allowed_drop(max_drop, labels, metric):
    """Returns what a file may lose: as given, or the default."""
    if max_drop is None and metric is not None:
        raise InputError(f"Expected max_drop, in the unit of the metric {metric.name}, received none.")
    return MAX_DROP[labels is not None] if max_drop is None else max_drop


def _with_thresholds(expected, thresholds):
    name = _one_of(expected, "labels", "thresholds")
    value, thresholds = expected[name], np.asarray(thresholds, "float64")
    if thresholds.shape != value.values.shape[-1:] or not np.isfinite(thresholds).all():
        raise InputError(
            f"Expected thresholds of {value.values.shape[-1]} labels, finite numbers, received "
            f"{thresholds.shape}."
        )
    return {**expected, name: value._replace(thresholds=thresholds)}


def _one_of(expected, task, what):
    """The name of the one output with a task."""
    names = [name for name, value in expected.items() if value.task and value.task.name == task]
    if len(names) != 1:
        raise InputError(f"Expected one output with the task {task} for {what}, received {len(names)}.")
    return names[0]


def _tasks(task, outputs):
    if task is None:
        return {}
    if not isinstance(task, Mapping):
        if len(outputs) > 1:
            raise InputError(
                f"Expected a task for each of {listed(outputs)}, as a dict or, for a command, --task "
                f"NAME=TASK for each; received {task!r}."
            )
        task = dict.fromkeys(outputs, task)
    for name, meaning in task.items():
        if name not in outputs:
            raise InputError(f"Expected tasks of {listed(outputs)}, received one of {name!r}.")
        shape = outputs[name].shape[1:]
        if meaning not in TASKS:
            raise InputError(f"Unknown task {meaning!r}. Expected one of {', '.join(TASKS)}.")
        if not TASKS[meaning].fits(shape):
            raise InputError(
                f"The task {meaning!r} is for {TASKS[meaning].takes}, but the output {name!r} of one item is "
                f"{shape}. Fitting: {', '.join(tasks_that_fit(shape))}."
            )
    return {name: TASKS[meaning] for name, meaning in task.items()}


def _by_output(labels, outputs, tasks):
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        if _is_list_for(labels, outputs):
            labels = dict(zip(outputs, labels, strict=True))
        elif len(tasks or outputs) == 1:
            labels = {next(iter(tasks or outputs)): labels}
        else:
            raise InputError(f"Expected labels as a dict with {listed(outputs)}, received one array.")
    if unknown := labels.keys() - outputs.keys():
        raise InputError(f"Expected labels of {listed(outputs)}, received some of {listed(unknown)}.")
    for name in labels.keys() - tasks.keys():
        fitting = " or ".join(f"{task!r}" for task in tasks_that_fit(outputs[name].shape[1:]))
        raise InputError(
            f"Expected task={fitting} for the labels of {name!r} {outputs[name].shape}, or a metric: what "
            "the outputs mean is not guessed."
        )
    return dict(labels)


def _is_list_for(labels, outputs):
    """Whether labels are a list with those of each of several outputs."""
    return isinstance(labels, list | tuple) and len(outputs) > 1 and len(labels) == len(outputs)


def _check_length(labels, values, name):
    try:
        received = len(labels)
    except TypeError:  # a number, a generator
        received = f"{labels!r:.80}"
    if received != len(values):
        raise InputError(f"Expected one label per item of {name}: {len(values)}, received {received}.")
