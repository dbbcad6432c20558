"""Searches for recipes, one process per trial.

`api.search` validates a search (`plan`), and runs it or a part of it (`search_run`). The rooms: `space` (what
varies), `state` (oracles and journal), `workers` (processes of this machine), `cluster` (several machines)
and `results`. `costs` has the figures that limits are about, `keras_tuner_internals` all private names of
KerasTuner.
"""

import dataclasses
from collections.abc import Callable

from keras_vit.training.recipe import Recipe

__all__ = ["Search"]


@dataclasses.dataclass(frozen=True)
class Search:
    """A recipe and its search space; those of the package are modules of `keras_vit.training.searches`.

    Attributes:
        recipe: Recipe of all that does not vary, with the defaults of what does.
        space: function that calls the methods of a `SpaceBuilder` for each field of the recipe that varies.
            It must make the same calls each time: what depends on another field is declared within a
            `conditional_scope`, not behind an `if`.

    Example:
        >>> from keras_vit.training.recipes.vit_digits import RECIPE
        >>> def space(hp):
        ...     hp.Int("num_layers", 1, 4)
        ...     hp.Float("learning_rate", 1e-3, 1e-2, sampling="log")
        >>> search = Search(RECIPE, space)
    """

    recipe: Recipe
    space: Callable
