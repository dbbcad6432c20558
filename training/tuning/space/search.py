"""What is searched: a recipe, and the fields of it that vary."""

import dataclasses
from collections.abc import Callable

from keras_vit.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Search:
    """A search space, one module each in `keras_vit.training.searches`.

    Attributes:
        recipe: Recipe of all that does not vary. Of what varies it holds the default.
        space: function that calls the methods of a `space.space.Draft` for each field of
            the recipe that varies. It must call the same ones each time: what depends on another field stands
            in a `conditional_scope`, not in an `if`.
    """

    recipe: Recipe
    space: Callable
