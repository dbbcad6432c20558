"""What a kind of model is trained on and judged by, one task a file."""

from keras_vit.errors import InputError
from keras_vit.training.tasks.image_classification import ImageClassification
from keras_vit.training.tasks.language_modelling import LanguageModelling
from keras_vit.training.tasks.linear_probe import LinearProbe
from keras_vit.training.tasks.task import Task

__all__ = ["ImageClassification", "LanguageModelling", "LinearProbe", "Task", "task_of"]

TASKS = (LinearProbe, ImageClassification, LanguageModelling)  # in the order in which a recipe is tried


def task_of(recipe):
    """Returns the task of a recipe's model.

    Raises:
        InputError: no task has a model of that name.
    """
    for task in TASKS:
        if task.takes(recipe):
            return task(recipe)
    names = ", ".join(dict.fromkeys(name for task in TASKS for name in task.builders))
    raise InputError(f"Unknown model {recipe.model!r}. Expected one of {names}.")
