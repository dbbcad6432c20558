"""An experiment's configuration, and assignments such as `epochs=3` that change it."""

from collections.abc import Iterable, Mapping
from typing import Any

from keras_vit.constraints import as_text, parse_value
from keras_vit.errors import InputError, Notice, listed, warn
from keras_vit.training.common_recipe import Recipe, unknown_field
from keras_vit.training.image_recipe import ImageRecipe
from keras_vit.training.text_recipes import PairRecipe, TextRecipe

__all__ = ["ImageRecipe", "PairRecipe", "Recipe", "TextRecipe", "override"]


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Returns the recipe with assignments such as `"epochs=3"` applied; `"field=none"` unsets a field.

    A notice names the arguments of the recipe's own model that another model does not get.
    """
    types = assignment_types(recipe, assignments)
    offered = fields_offered(recipe, assignments)
    pairs = (split_assignment(assignment, types, offered) for assignment in assignments)
    changes = {field: parse_value(field, text, types[field]) for field, text in pairs}
    changed = recipe.replace(**changes)
    if changed.model != recipe.model:
        left = [f"{n}={as_text(v)}" for n, v in recipe.model_options.items() if n not in changes]
        if left:
            warn(
                f"model={changed.model} with its own defaults: {listed(left)} of the recipe are arguments of "
                f"{recipe.model} and left out.",
                Notice,
            )
    return changed


def assignment_types(recipe: Recipe, assignments: Iterable[str]) -> dict[str, Any]:
    """Returns the annotations of the fields that assignments may name.

    They depend on the model: the recipe's, or one that is assigned, in a search as `"model=cnn,resnet"`.
    """
    return {**recipe.types(*recipe.builders), **fields_offered(recipe, assignments)}


def fields_offered(recipe: Recipe, assignments: Iterable[str]) -> dict[str, Any]:
    """Returns the annotations of the fields of the recipe's model, or of those that are assigned."""
    named = [text.removeprefix("model=").split(",") for text in assignments if text.startswith("model=")]
    return recipe.types(*(named[-1] if named else [recipe.model]))


def split_assignment(
    assignment: str, types: Mapping[str, Any], offered: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """Splits `field=text`, and raises InputError for another form or a field that `types` lacks.

    The message names fields that are `offered`, by default all.
    """
    offered = types if offered is None else offered
    field, equals, text = assignment.partition("=")
    if not equals:
        raise InputError(f"Expected field=value, received {assignment!r}.")
    if field not in types:
        raise unknown_field(field, offered, f"Expected one of {', '.join(offered)}.")
    return field, text
