"""Loads pretrained weights into one of our models."""

import os
from typing import Annotated

import keras

from keras_vit.constraints import Range, check_value, parameters
from keras_vit.errors import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.io.preprocessing import Preprocessing, attach_preprocessing
from keras_vit.keras_internals import initialize, uninitialized_weights
from keras_vit.layers.patch_extraction import patch_grid
from keras_vit.pairs import as_pair
from keras_vit.pretrained.checkpoint import located, open_checkpoint
from keras_vit.pretrained.families import family_of
from keras_vit.pretrained.graph_source import adapted, ending
from keras_vit.pretrained.mapping import POSITIONS, read_weights
from keras_vit.pretrained.resampling import resampled
from keras_vit.pretrained.run_source import (
    is_vit,
    open_vit,
    run_architecture,
    run_model_file,
    run_preprocessing,
)

HEAD_PREFIXES = ("head/", "distillation_head/")


def load(
    source: str | os.PathLike,
    num_classes: int | None = None,
    image_size: int | tuple[int, int] | None = None,
    *,
    revision: str | None = None,
    new_head: bool = False,
    **arguments,
) -> keras.Model:
    """Loads pretrained weights of timm, Hugging Face, Google or a run of this package into a new model.

    A run, or a `.keras` file, may have any functional or Sequential model from images to one row of numbers
    that ends in a dense layer.

    Args:
        source: str or Path: a hub id (`"timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"`, or `"hf://..."`),
            also one that `keras-vit push` wrote; a folder with config.json and weights, a file
            (`.safetensors`, `.npz`, `.bin`, `.pth`), a run folder or a `.keras` file.
        num_classes: int, classes of a new head; 0 for none. None: the head of the weights, if any.
        image_size: int or `(height, width)` in pixels. None: that of the weights. Positions are
            resampled as the original library does.
        revision: str, branch, tag or commit on the hub.
        new_head: bool, initialize the head even where the number of classes stays the same.
        arguments: other arguments of the builder (`keras_vit.models.vit`, `levit` or `repvit`, as the
            weights are) that change no weight, such as `drop_path_rate`. Runs and `.keras` files of other
            models have `seed`, `dtype`, `dropout_rate` and `drop_path_rate`, and without `dtype` that of
            the file.

    Returns:
        A functional `keras.Model` from images in [0, 255] to logits, which normalizes the images as the
        weights expect. Its attribute `preprocessing` is the `Preprocessing` that resizes and crops images;
        Keras does not save it with the model.

    Raises:
        InputError: the source does not exist, its family is unknown, or its tensors are not those of the
            family.

    Example:
        >>> import tempfile, keras_vit
        >>> tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1}
        >>> model = keras_vit.models.vit(**tiny, mlp_dim=8, num_classes=3)
        >>> folder = tempfile.TemporaryDirectory()
        >>> keras_vit.pretrained.save(model, folder.name)
        >>> keras_vit.pretrained.load(folder.name, num_classes=5).output_shape
        (None, 5)
    """
    check_value("num_classes", num_classes, Annotated[int, Range(0)] | None)
    source, file = _found(source, revision)
    saved = None if file is None else load_model(file)
    if saved is not None and not is_vit(saved):
        model = adapted(saved, num_classes, image_size, new_head=new_head, **arguments)
        attach_preprocessing(model, run_preprocessing(file, saved).for_size(model.input_shape[1:3]))
        return model
    family, tensors, reading = _open(source) if saved is None else open_vit(file, saved)
    head_added = num_classes and not reading.arguments["num_classes"]
    given = {**reading.arguments, **(reading.with_head if head_added else {}), **arguments}
    new_head |= num_classes not in (None, given["num_classes"])
    if num_classes is not None:
        given["num_classes"] = num_classes
    if image_size is not None:
        given["image_size"] = image_size
    if not family.any_size and as_pair(given["image_size"], "image_size") != reading.arguments["image_size"]:
        raise InputError(
            f"{family.name} has a weight for each distance in its grid, so that the image size stays "
            f"{reading.arguments['image_size']}; received {given['image_size']}. Leave out image_size."
        )
    rows = family.table(given)
    tensors = _fit_positions(tensors, rows, reading, given)
    with uninitialized_weights():
        model = family.build(**given)
    read_weights(model, rows, tensors, family.unused, HEAD_PREFIXES if new_head else ())
    initialize(model)
    if saved is not None and not new_head:
        model = _ended_as(model, saved)
    attach_preprocessing(model, reading.preprocessing.for_size(model.input_shape[1:3]))
    return model


def preprocessing(
    source: str | os.PathLike,
    image_size: int | tuple[int, int] | None = None,
    *,
    revision: str | None = None,
) -> Preprocessing:
    """Returns the `Preprocessing` of weights, without building their model.

    Args:
        source, image_size, revision: as in `load`.

    Returns:
        A `Preprocessing`.

    Raises:
        InputError: as `load`.

    Example:
        >>> import tempfile, keras_vit
        >>> tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1}
        >>> folder = tempfile.TemporaryDirectory()
        >>> keras_vit.pretrained.save(keras_vit.models.vit(**tiny, mlp_dim=8, num_classes=3), folder.name)
        >>> keras_vit.pretrained.preprocessing(folder.name).image_size
        (16, 16)
    """
    source, file = _found(source, revision)
    if file is not None:
        found = run_preprocessing(file)
        return found if image_size is None else found.for_size(image_size)
    _, _, reading = _open(source)
    return reading.preprocessing.for_size(image_size or reading.arguments["image_size"])


def _found(source, revision):
    """Returns where a source is, and the `.keras` file of one that is a run."""
    file = run_model_file(source)
    if file is not None:
        return source, file
    place = located(source, revision)
    return place, run_model_file(place)


def architecture(source: str | os.PathLike, *, revision: str | None = None) -> str:
    """Returns what the model of weights is called in recipes, such as `"vit"` or `"levit"`.

    Raises:
        InputError: as `load`.
    """
    source, file = _found(source, revision)
    return run_architecture(file) if file is not None else _open(source)[0].build.__name__


def _ended_as(model, saved):
    """Returns a model with what follows the head of a saved one, such as the scale of numbers."""
    after = ending(saved).after if any(layer.name == "head" for layer in saved.layers) else []
    for layer in reversed(after):
        if not isinstance(layer, keras.layers.Average):  # which the model has
            copy = type(layer).from_config(layer.get_config())
            model = keras.Model(model.inputs, copy(model.outputs[0]), name=model.name)
    return model


def _open(source):
    config, tensors = open_checkpoint(source)
    family = family_of(config, tensors)
    tensors = tensors.renamed(family.rename)
    try:
        reading = family.read(config, tensors)
        arguments = {
            **reading.arguments,
            "pixel_mean": reading.preprocessing.mean,
            "pixel_std": reading.preprocessing.std,
        }
        _check_arguments(family, arguments, tensors)
        reading.preprocessing.check(tensors.where)
        return family, tensors, reading._replace(arguments=arguments)
    except InputError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"{tensors.where}: the configuration or the tensors are not those of {family.name} "
            f"({type(error).__name__}: {error})."
        ) from error


def _check_arguments(family, arguments, tensors):
    annotations = parameters(family.build)
    for field, value in arguments.items():
        check_value(f"{field} of {tensors.where}", value, annotations[field])
    if arguments.get("num_layers", 0) > len(tensors):  # building so many layers would take long
        raise ValueError(f"num_layers is {arguments['num_layers']:,}")
    for field in ("pixel_mean", "pixel_std"):
        if len(arguments[field]) != arguments["channels"]:
            raise ValueError(f"{field} is {arguments[field]} for {arguments['channels']} channels")


def _fit_positions(tensors, rows, reading, given):
    """Resamples the positions where the grid of patches changes."""
    name = next((row.theirs for row in rows if row.ours == POSITIONS), None)
    if name not in tensors:
        return tensors
    sizes = (reading.arguments["image_size"], given["image_size"])
    grids = [patch_grid((None, *as_pair(s, "image_size"), 3), given["patch_size"]) for s in sizes]
    old, new = reading.grid or grids[0], grids[1]
    if old == new:
        return tensors
    return resampled(tensors, name, old, new, reading.resampling)
