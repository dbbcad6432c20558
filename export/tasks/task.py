"""The table of tasks."""

import dataclasses
from collections.abc import Callable

from keras_vit.export.tasks import agreement, labels, scores


@dataclasses.dataclass(frozen=True)
class Task:
    """One meaning of an output: what its labels are, and what counts as good."""

    name: str
    takes: str  # the outputs' shape, in words
    fits: Callable  # whether a shape without the batch axis is one
    metric: str  # name of the score; `drop` is in points, hundredths of it
    score: Callable  # of `scores`
    labels: Callable  # of `labels`
    agreement: Callable  # of `agreement`
    has_names: bool = False  # whether its columns may have names


TASKS = {
    task.name: task
    for task in (
        Task(
            "classification",
            "a row of classes, or one value for yes or no",
            lambda shape: len(shape) == 1,
            "accuracy",
            scores.accuracy,
            labels.class_labels,
            agreement.of_classes,
            has_names=True,
        ),
        Task(
            "labels",
            "a row of labels that each hold or not",
            lambda shape: len(shape) == 1,
            "F1",
            scores.f1,
            labels.yes_or_no,
            agreement.of_labels,
            has_names=True,
        ),
        Task(
            "regression",
            "numbers",
            lambda shape: True,
            "explained variance",
            scores.explained_variance,
            labels.values,
            agreement.of_values,
            has_names=True,
        ),
        Task(
            "embedding",
            "a vector",
            lambda shape: len(shape) == 1 and shape[0] > 1,
            "nearest-neighbour accuracy",
            scores.nearest_neighbour,
            labels.groups,
            agreement.of_directions,
        ),
        Task(
            "map",
            "classes for each pixel",
            lambda shape: len(shape) == 3,
            "mean IoU",
            scores.mean_iou,
            labels.class_labels,
            agreement.of_classes,
        ),
        Task(
            "sequence",
            "classes for each step",
            lambda shape: len(shape) == 2,
            "accuracy",
            scores.accuracy,
            labels.class_labels,
            agreement.of_classes,
        ),
    )
}


PHOTO_TASKS = ("classification", "labels", "regression")  # whose files take photos, in RGB


def tasks_that_fit(shape):
    """Returns the names of the tasks that an output of this shape, without the batch axis, can have."""
    return [name for name, task in TASKS.items() if task.fits(shape)]
