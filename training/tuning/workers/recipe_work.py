"""What a process does for one trial of a search for a recipe, and for the model of a run next to them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.io.model_archive import load_model
from keras_vit.training.fit import fit_task
from keras_vit.training.own_parts import is_part
from keras_vit.training.recipe import Recipe
from keras_vit.training.run import train
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tasks import task_of


@dataclasses.dataclass(frozen=True)
class RecipeWork:
    """A recipe with the values and the seed of one trial; it has the methods of `BuilderWork`."""

    recipe: Recipe

    def load_data(self, data_dir=None):
        """Loads the data of the recipe."""
        return task_of(self.recipe).load_data(data_dir)

    def check(self, data_dir=None):
        """Checks that the data exist, and that a builder of the user's own builds a model for them."""
        try:
            data = self.load_data(data_dir)
        except (InputError, ConditionError) as error:
            message = f"The data of the search cannot be loaded on this machine: {error}"
            raise type(error)(message) from error
        if is_part(self.recipe.model):
            task_of(self.recipe).knowing(data).build_model(data)

    def untrained(self, data, discovered: Callable):
        """Returns the model that the recipe trains, and one image; no new values are discovered."""
        model = task_of(self.recipe).build_model(data)
        return model, data.train.images[0] if hasattr(data.train, "images") else None

    def fit(self, run_dir, data, discovered: Callable, reports, until_epoch=None):
        """Trains the model, or continues; `reports` gets the metrics of each epoch."""
        folder = RunFolder(run_dir)
        fit_task(
            task_of(self.recipe),
            folder.path,
            data=data,
            resume=folder.recipe.exists(),
            callbacks=[reports],
            until_epoch=until_epoch,
        )

    def train_winner(self, run_dir, data_dir=None):
        """Trains the recipe, evaluates the run and writes its report."""
        train(self.recipe, run_dir, data_dir=data_dir, resume=RunFolder(run_dir).recipe.exists())


@dataclasses.dataclass(frozen=True)
class SavedWork:
    """The model of a run, to be measured: its data may have been given in Python, and are not needed."""

    file: Path

    def load_data(self, data_dir=None):
        """There are none."""

    def untrained(self, data, discovered: Callable):
        """Returns the model as it was saved, and one image of zeros; of a model of text None."""
        model = load_model(self.file)
        shape = model.inputs[0].shape[1:]
        return model, np.zeros(shape, np.uint8) if len(shape) == 3 else None
