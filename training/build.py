"""Turns a recipe into its data and its model."""

import inspect

import keras_vit
from keras_vit.errors import InputError
from training.data import load_data
from training.recipe import MODEL_FIELDS

BUILDERS = {"vit": keras_vit.models.vit}


def load_recipe_data(recipe, data_dir=None):
    """Loads the data of a recipe: `ImageData` with train, validation and test splits."""
    return load_data(
        recipe.data,
        image_size=recipe.image_size,
        validation_fraction=recipe.validation_fraction,
        test_fraction=recipe.test_fraction,
        seed=recipe.seed,
        subset=recipe.subset,
        data_dir=data_dir,
    )


def build_model(recipe, image_shape, num_classes):
    """Builds the untrained model of a recipe.

    Args:
        recipe: Recipe. Its model fields that are None are left to the builder.
        image_shape: `(height, width, channels)`.
        num_classes: int.

    Raises:
        InputError: unknown model, a field that this model does not take, sizes that do not fit.
    """
    if recipe.model not in BUILDERS:
        raise InputError(f"Unknown model {recipe.model!r}. Expected one of {', '.join(BUILDERS)}.")
    builder = BUILDERS[recipe.model]
    given = {field: getattr(recipe, field) for field in MODEL_FIELDS}
    given = {field: value for field, value in given.items() if value is not None}
    unknown = sorted(set(given) - set(inspect.signature(builder).parameters))
    if unknown:
        raise InputError(f"Model {recipe.model!r} has no {', '.join(unknown)}: set to none.")
    height, width, channels = image_shape
    return builder(
        image_size=(height, width),
        channels=channels,
        num_classes=num_classes,
        seed=recipe.seed,
        dtype=recipe.precision,
        **given,
    )
