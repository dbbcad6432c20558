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
    """A recipe and its search space, for `search`, or as `SEARCH` of a file for `keras-vit tune`.

    Attributes:
        recipe: Recipe of all that does not vary, with the defaults of what does.
        space: function of an `hp` that declares each field of the recipe that varies, by
            `hp.Choice(field, values, divides=None)`, where `divides` is a number or the name of another
            field, `hp.Int(field, low, high)` and `hp.Float(field, low, high, sampling="linear")` or
            `"log"`. It must make the same calls each time: what depends on another field is declared within
            `hp.conditional_scope(field, condition)`, not behind an `if`.

    Example:
        >>> from keras_vit.training import ImageRecipe, Search
        >>> def space(hp):
        ...     hp.Int("num_layers", 1, 4)
        ...     hp.Float("learning_rate", 1e-3, 1e-2, sampling="log")
        >>> search = Search(ImageRecipe(variant="Pico/4", data="digits"), space)
    """

    recipe: Recipe
    space: Callable
