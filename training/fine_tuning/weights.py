"""The model that a recipe with pretrained weights trains."""

import keras

from keras_vit import pretrained
from keras_vit.errors import InputError, counted
from keras_vit.training.data.dataset import ImageData
from keras_vit.training.recipe import ImageRecipe


def with_image_size(recipe: ImageRecipe) -> ImageRecipe:
    """Returns the recipe with the image size of its pretrained weights, where it has none."""
    if recipe.pretrained is None or recipe.image_size is not None:
        return recipe
    height, width = pretrained.preprocessing(recipe.pretrained).image_size
    return recipe.replace(image_size=height, image_width=None if width == height else width)


def pretrained_model(recipe: ImageRecipe, data: ImageData) -> keras.Model:
    """Builds the model of the pretrained weights for the data's size and classes, with a new head."""
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
