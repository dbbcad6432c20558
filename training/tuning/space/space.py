"""A search space: hyperparameters that are fields of a recipe."""

import dataclasses
from collections.abc import Sequence

import keras_tuner

from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.keras_tuner_internals import is_choice, varying
from keras_vit.training.tuning.space.builder import SpaceBuilder
from keras_vit.training.tuning.space.override import SpaceOverride
from keras_vit.training.tuning.workers.recipe_work import RecipeWork


@dataclasses.dataclass(frozen=True)
class Space:
    """Hyperparameters as KerasTuner's oracles take them, and the recipe that they change.

    `keras_vit.training.tuning.builders.space.BuilderSpace` is the other kind of space.
    """

    check_failure = ""  # messages are complete
    checking = "The process that checks the search"  # as messages call it
    is_explored = False  # whether hyperparameters are found by running the builder

    recipe: Recipe  # of what does not vary
    hyperparameters: keras_tuner.HyperParameters  # their names are fields of the recipe
    fixed: dict = dataclasses.field(default_factory=dict)  # each trial where they have an effect has these
    left_out: tuple[str, ...] = ()  # arguments of the search's own model, which the user replaced

    def recipe_of(self, values, **changes):
        """Returns the recipe of a trial's values, without those that oracles add."""
        values = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        recipe = self.recipe.replace(**values, **changes)
        return recipe.replace(**recipe.used({n: v for n, v in self.fixed.items() if n not in changes}))

    @property
    def epochs(self) -> int:
        """Epochs of a trial."""
        return self.recipe.epochs

    def work_of(self, values, seed):
        """Returns what the trial with these values trains."""
        return RecipeWork(self.recipe_of(values, seed=seed))

    def prepare(self, folder):
        """Does nothing: each process loads the data of a recipe by its name."""

    def first_work(self):
        """Returns what is checked before a search starts, with the first value of each field."""
        return RecipeWork(self.recipe_of(self.hyperparameters.values))

    def add(self, found):
        """Does nothing: a search for a recipe states all fields that vary."""

    def settings(self):
        """Returns what a journal keeps of what does not vary."""
        return {"recipe": self.recipe.as_dict()}

    def extremes(self):
        """Yields the recipe with one field after the other at each of its values, or both ends of its range.

        A value that the field cannot have raises an InputError.
        """
        for hp in self.hyperparameters.space:
            for value in hp.values if is_choice(hp) else (hp.min_value, hp.max_value):
                yield self.recipe_of({c.name: c.values[0] for c in hp.conditions} | {hp.name: value})

    def check_fixed(self):
        """Raises InputError when a fixed field has no effect in any trial."""
        recipes = [self.recipe, *self.extremes()]
        for field, value in self.fixed.items():
            if not any(getattr(recipe, field) == value for recipe in recipes):
                self.recipe.replace(**{field: value})  # raises the error

    def description(self):
        """Returns a dict from each field that varies to its values in words."""
        return described(self.hyperparameters)


def build_space(search: Search, assignments: Sequence[str] = ()) -> Space:
    """Builds the space of a search with the user's assignments, as `SpaceOverride.parse` takes them.

    They may name fields that the search does not vary. When nothing is left to vary, that is an InputError.
    """
    overrides = SpaceOverride.parse_all(assignments, search.recipe)
    builder = SpaceBuilder(search.recipe, overrides)
    search.space(builder)
    for field in overrides:
        builder.add_override(field)
    if not builder.hyperparameters.space:
        raise InputError(
            "Nothing is left to search: every field is fixed. Leave one to vary, as in "
            "learning_rate=0.001:0.01, or use `keras-vit train`."
        )
    space = Space(builder.recipe, builder.hyperparameters, builder.fixed, builder.all_left_out())
    space.check_fixed()
    return space


def described(hyperparameters: keras_tuner.HyperParameters) -> dict[str, str]:
    """Returns a dict from each hyperparameter that varies to its values in words."""
    return {hp.name: _words(hp) for hp in varying(hyperparameters)}


def _words(hp):
    if is_choice(hp):
        line = ", ".join(map(str, hp.values))
    else:
        line = f"{hp.min_value:g} to {hp.max_value:g}"
        line += ", logarithmic" if hp.sampling == "log" else ""
        line += f", step {hp.step:g}" if hp.step not in (None, 1) else ""
    conditions = [f"{c.name} is {' or '.join(map(str, c.values))}" for c in hp.conditions]
    return f"{line} where {' and '.join(conditions)}" if conditions else line
