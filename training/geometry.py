"""How images of a data source become images of the model's size."""

import dataclasses

import keras
import numpy as np

from keras_vit import pretrained
from keras_vit.errors import InputError, warn
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.models.image_input import pixel_statistics
from keras_vit.training.data import ImageData
from keras_vit.training.data.decoding import with_decoding
from keras_vit.training.data.encoded import DEFAULT_IMAGE_SIZE
from keras_vit.training.data.sources import vary_in_size
from keras_vit.training.recipe import ImageRecipe

_DECIDING = ("crop_mode", "crop_ratio", "interpolation", "rounded")  # fields that decide about pixels


def image_size_of(recipe: ImageRecipe) -> tuple[int, int] | None:
    """Returns `(height, width)` in pixels, or None where the data decide."""
    return recipe.image_size and (recipe.image_size, recipe.image_width or recipe.image_size)


def preparation(geometry: str | None, spec: str, image_size=None, data_dir=None) -> Preprocessing:
    """Returns how the images of a spec are prepared: by a geometry, None for the one that fits the data."""
    known = geometry or ("center_crop" if vary_in_size(spec, data_dir) else "stretch")
    return Preprocessing.of(known, image_size or DEFAULT_IMAGE_SIZE)


def preparation_of_recipe(recipe: ImageRecipe, spec: str, data_dir=None) -> Preprocessing:
    """Returns how a recipe prepares the images of a spec: pretrained weights prepare photographs themselves.

    Raises:
        InputError: the weights expect another geometry than the recipe states.
    """
    known = _geometry_of_recipe(recipe, spec, data_dir)
    return with_decoding(known, recipe.background, recipe.sixteen_bit)


def _geometry_of_recipe(recipe, spec, data_dir):
    size = image_size_of(recipe)
    if recipe.pretrained is None or recipe.geometry is None and not vary_in_size(spec, data_dir):
        return preparation(recipe.geometry, spec, size, data_dir)
    own = pretrained.preprocessing(recipe.pretrained, size)
    if recipe.geometry not in (None, own.geometry):
        raise InputError(
            f"The weights of {recipe.pretrained} expect geometry={own.geometry}, received geometry="
            f"{recipe.geometry}. Leave it out."
        )
    return own


def preparation_of_data(
    recipe: ImageRecipe, data: ImageData, known: Preprocessing | None = None
) -> Preprocessing:
    """Returns how images that were given as `ImageData` were prepared, which decides for a model of them.

    Images that came with their size, or that a function of the user prepared, are described by the recipe.
    `known` is what the run was started with.

    Raises:
        InputError: they were prepared by another geometry than the recipe or the run states.
    """
    if not isinstance(data.preparation, Preprocessing):
        described = known or preparation_of_recipe(recipe, "")
        if data.preparation is not None and recipe.geometry is None:
            warn(
                "The images were prepared by a function, which no file of the run can contain. It says "
                f"instead: {described.for_size(data.image_shape[:2]).words}. Set geometry to what comes "
                "nearest; evaluate, predict and apps do that."
            )
        return described
    own, expected = data.preparation, known.geometry if known else recipe.geometry
    if expected not in (None, own.geometry):
        raise InputError(
            f"The {'run' if known else 'recipe'} has geometry={expected}, but the data were prepared by "
            f"{own.geometry}. Load them with geometry={expected!r}."
        )
    if known is None and recipe.pretrained is not None and data.train.are_decoded:
        _warn_of_other_pixels(own, pretrained.preprocessing(recipe.pretrained, own.image_size), recipe)
    return own


def _warn_of_other_pixels(own, expected, recipe):
    if any(getattr(own, name) != getattr(expected, name) for name in _DECIDING):
        warn(
            f"The weights of {recipe.pretrained} expect {expected.words}, and the data are prepared as "
            f"{own.words}. Let the recipe load them (data=SPEC), or load them with "
            "prepare=keras_vit.pretrained.preprocessing(...)."
        )


def prepare_option(preparation: Preprocessing) -> dict:
    """Returns the option `prepare` of `load_data`, which stretches images by itself."""
    own = Preprocessing.of("stretch", preparation.image_size, preparation.mean, preparation.std)
    return {} if preparation == own else {"prepare": preparation}


def with_statistics(preparation: Preprocessing, model: keras.Model) -> Preprocessing:
    """Returns a preparation for a model's size, with the mean and deviation that the model normalizes by.

    Where it has none, such as a model of the user, both are 0.5.
    """
    *size, channels = model.input_shape[1:]
    scaling = next((layer for layer in model.layers if layer.name == "scaling"), None)
    known = isinstance(scaling, keras.layers.Rescaling) and np.min(scaling.scale) > 0
    mean, std = pixel_statistics(scaling, channels) if known else ((0.5,) * channels, (0.5,) * channels)
    return dataclasses.replace(preparation.for_size(size), mean=mean, std=std)
