"""Tasks: kinds of data with their models, training and evaluation; one file each."""

from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.tasks.images import ImageTask
from keras_vit.training.tasks.language_modelling import LanguageModelling
from keras_vit.training.tasks.linear_probe import LinearProbe
from keras_vit.training.tasks.sequence_to_sequence import SequenceToSequence
from keras_vit.training.tasks.task import Task

__all__ = ["ImageTask", "LanguageModelling", "LinearProbe", "SequenceToSequence", "Task", "task_of"]

TASKS = (LinearProbe, ImageTask, LanguageModelling, SequenceToSequence)  # in the order of trying a recipe


def task_of(recipe: Recipe) -> Task:
    """Returns the task of a recipe, one for a whole run."""
    for task in TASKS:
        if task.accepts(recipe):
            return task(recipe)
    raise InputError(f"Expected an ImageRecipe, TextRecipe or PairRecipe, received {type(recipe).__name__}.")
