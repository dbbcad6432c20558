"""Models that were trained here, as a source of weights for others."""

import functools
import os
import re
from pathlib import Path

import keras

from keras_vit.constraints import check_value
from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json
from keras_vit.io.model_archive import load_model
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.pretrained.family import Family, Reading
from keras_vit.pretrained.mapping import POSITIONS, Row
from keras_vit.pretrained.tensors import Tensor, Tensors
from keras_vit.pretrained.vit_arguments import vit_arguments

MODEL = "model.keras"
PREPROCESSING, RECIPE = "preprocessing.json", "recipe.json"


def run_model_file(source: str | os.PathLike) -> Path | None:
    """Returns the path of the `.keras` file of a source that is one or a run folder, otherwise None."""
    check_value("source", source, str | os.PathLike)
    path = Path(source)
    if path.suffix == ".keras":
        return path
    return path / MODEL if os.path.isfile(path / MODEL) else None


def is_vit(model: keras.Model) -> bool:
    """Returns whether a model is one of `keras_vit.models.vit`, with nothing before its first layers."""
    try:
        return bool(vit_arguments(model))
    except InputError:
        return False


def open_vit(file: Path, model: keras.Model) -> tuple[Family, Tensors, Reading]:
    """Opens a Vision Transformer of a `.keras` file as a family whose names are the paths of the weights."""
    weights = {weight.path: weight for weight in model.weights}
    read = functools.partial
    tensors = {p: Tensor(tuple(w.shape), read(keras.ops.convert_to_numpy, w)) for p, w in weights.items()}
    grid = model.get_layer("position_embedding").grid_size if POSITIONS in weights else None
    reading = Reading(vit_arguments(model), run_preprocessing(file, model), grid=grid)
    paths = {re.sub(r"block_\d+", "block_{i}", path) for path in weights}
    rows = tuple(Row(path, path) for path in paths)
    family = Family("keras_vit", table=lambda arguments: rows, signatures=(), read=lambda *_: reading)
    return family, Tensors(file, tensors), reading


def run_architecture(file: Path) -> str:
    """Returns what the model of a `.keras` file is called in recipes: `"vit"`, or `module:name` of its own.

    The recipe next to the file states it; without one it is the model's name.
    """
    known = _recipe_fields(Path(file).parent).get("model")
    if isinstance(known, str):
        return known
    model = load_model(file)
    return "vit" if is_vit(model) else model.name


def _recipe_fields(folder):
    """Returns the fields of the recipe in a folder, a dict, which is empty without one."""
    recipe = Path(folder, RECIPE)
    fields = read_json(recipe, dict).get("recipe") if recipe.is_file() else None
    return fields if isinstance(fields, dict) else {}


def run_preprocessing(file: Path, model: keras.Model | None = None) -> Preprocessing:
    """Returns the `Preprocessing` saved next to a `.keras` file, by default stretching."""
    saved = Path(file).parent / PREPROCESSING
    if saved.is_file():
        return Preprocessing.from_json(read_json(saved), saved)
    model = load_model(file) if model is None else model
    if is_vit(model):
        return stretching_of(vit_arguments(model))
    return Preprocessing.of("stretch", tuple(model.input_shape[1:3]))


def saved_preprocessing(folder: str | os.PathLike) -> Preprocessing | None:
    """Returns how images are prepared for the model in a folder, or None where nothing says it.

    Runs of versions whose recipes had no `geometry` stretched images. The size is that of the model.
    """
    saved = Path(folder, PREPROCESSING)
    if saved.is_file():
        return Preprocessing.from_json(read_json(saved), saved)
    fields = _recipe_fields(folder)
    is_old = bool(fields) and "geometry" not in fields
    return Preprocessing.of("stretch", Preprocessing.image_size) if is_old else None


def stretching_of(arguments):
    """Returns how images were stretched for a model with these arguments of `vit`."""
    return Preprocessing.of(
        "stretch", arguments["image_size"], mean=arguments["pixel_mean"], std=arguments["pixel_std"]
    )
