"""What a recipe with pretrained weights may ask for, and the model that it gets."""

import dataclasses

import keras

from keras_vit import pretrained
from keras_vit.errors import InputError
from keras_vit.training.recipe import AUGMENTATION_FIELDS, FINE_TUNING_FIELDS, MODEL_FIELDS, check_unset

DROPOUTS = ("dropout_rate", "attention_dropout_rate", "drop_path_rate")  # which no weight depends on
ONLY_WITH = {"unfreeze_every": "gradual", "lora_rank": "lora"}


def check_fine_tuning(recipe):
    """Checks that the fields of a recipe fit one another where weights are pretrained, or none are.

    Raises:
        InputError: names the fields that do not.
    """
    if recipe.pretrained is None:
        if recipe.tuning != "full":
            raise InputError(f"tuning={recipe.tuning} needs pretrained weights: give --pretrained SOURCE.")
        check_unset(recipe, FINE_TUNING_FIELDS, "A recipe without pretrained weights")
        return
    if recipe.model != "vit":
        raise InputError(f"pretrained needs model=vit, received model={recipe.model}.")
    given = [field for field in MODEL_FIELDS if getattr(recipe, field) is not None and field not in DROPOUTS]
    if given:
        unset = " ".join(f"{field}=none" for field in given)
        raise InputError(f"The pretrained weights decide {', '.join(given)}. Set {unset}.")
    if recipe.normalization is not None:
        raise InputError("The pretrained weights bring their own normalization: set normalization=none.")
    for field, tuning in ONLY_WITH.items():
        if recipe.tuning != tuning:
            check_unset(recipe, (field,), f"tuning={recipe.tuning}")
    if recipe.tuning == "head":
        owner = "tuning=head, which computes features once,"
        check_unset(recipe, (*DROPOUTS, *AUGMENTATION_FIELDS, "layer_decay"), owner)


def with_image_size(recipe):
    """Returns the recipe with the image size of its pretrained weights, where it names none.

    Raises:
        InputError: no such weights.
    """
    if recipe.pretrained is None or recipe.image_size is not None:
        return recipe
    height, width = pretrained.preprocessing(recipe.pretrained).image_size
    return dataclasses.replace(recipe, image_size=height, image_width=None if width == height else width)


def pretrained_model(recipe, data):
    """Builds the model of the pretrained weights for the data's size and classes, with a new head.

    Its `preprocessing` is how images are prepared in training here, with the pixels' mean and deviation
    of the weights, which are in the model.

    Args:
        recipe: Recipe.
        data: ImageData.

    Raises:
        InputError: no such weights, an image size that their patches do not divide, or other channels.
    """
    height, width, channels = data.image_shape
    dropouts = {field: getattr(recipe, field) for field in DROPOUTS}
    keras.utils.set_random_seed(recipe.seed)
    model = pretrained.load(
        recipe.pretrained,
        data.num_classes,
        (height, width),
        new_head=True,
        seed=recipe.seed,
        dtype=recipe.precision,
        **{field: rate for field, rate in dropouts.items() if rate is not None},
    )
    if model.input_shape[-1] != channels:
        raise InputError(
            f"The weights of {recipe.pretrained} are for images of {model.input_shape[-1]} channels, those "
            f"of {data.name} have {channels}."
        )
    known = model.preprocessing
    model.preprocessing = pretrained.Preprocessing.stretching((height, width), known.mean, known.std)
    return model
