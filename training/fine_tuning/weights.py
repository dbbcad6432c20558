"""The model that a recipe with pretrained weights trains."""

import keras

from keras_vit import pretrained
from keras_vit.errors import InputError, counted
from keras_vit.pretrained.load import architecture
from keras_vit.training.data.dataset import ImageData
from keras_vit.training.own_parts import is_part
from keras_vit.training.recipe import ImageRecipe


def with_image_size(recipe: ImageRecipe) -> ImageRecipe:
    """Returns the recipe with the image size of its pretrained weights, where it has none."""
    if recipe.pretrained is None or recipe.image_size is not None:
        return recipe
    height, width = pretrained.preprocessing(recipe.pretrained).image_size
    return recipe.replace(image_size=height, image_width=None if width == height else width)


def pretrained_model(recipe: ImageRecipe, data: ImageData) -> keras.Model:
    """Builds the model of the pretrained weights for the data's size and classes, with a new head."""
    _check_architecture(recipe)
    height, width, channels = data.image_shape
    keras.utils.set_random_seed(recipe.seed)
    model = pretrained.load(
        recipe.pretrained,
        data.num_classes,
        (height, width),
        new_head=True,
        seed=recipe.seed,
        dtype=recipe.precision,
        **recipe.model_options,
    )
    if model.input_shape[-1] != channels:
        raise InputError(
            f"The weights of {recipe.pretrained} are for images of "
            f"{counted(model.input_shape[-1], 'channel')}, those of {data.name} have {channels}."
        )
    return model


def _check_architecture(recipe):
    found = architecture(recipe.pretrained)
    if found == recipe.model:
        return
    if found in recipe.builders or is_part(found):
        raise InputError(
            f"The weights of {recipe.pretrained} are of a model {found}, received model={recipe.model}: set "
            f"model={found}."
        )
    raise InputError(
        f"Nothing says what built the model {found!r} in {recipe.pretrained}, received model={recipe.model}. "
        "Give a run folder, or set model=module:build, a function of yours that loads the file, and leave "
        "pretrained out."
    )
