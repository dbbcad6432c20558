"""Vision Transformers that were trained here, as a source of weights for others."""

import os
from pathlib import Path

from keras import ops

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json
from keras_vit.io.model_archive import load_model
from keras_vit.keras_internals import initialize, set_weight, uninitialized_weights
from keras_vit.models import vit
from keras_vit.pretrained.description import described
from keras_vit.pretrained.preprocessing import Preprocessing
from keras_vit.pretrained.resampling import resample

MODEL = "model.keras"
PREPROCESSING = "preprocessing.json"
POSITIONS = "position_embedding/embedding"
HEADS = ("head/", "distillation_head/")


def own_file(source):
    """Returns the path of the `.keras` file that a source stands for, a run folder or the file, or None."""
    path = Path(source)
    if path.suffix == ".keras":
        return path
    return path / MODEL if os.path.isfile(path / MODEL) else None


def load_own(file, num_classes, image_size, new_head, arguments):
    """Builds a trained model anew, with another head or image size; the arguments are those of `load`.

    Args:
        file: Path of a `.keras` file with a model made by `vit`, `load` or `with_image_size`.
        num_classes: int or None.
        image_size: int, `(height, width)` in pixels, or None.
        new_head: bool.
        arguments: dict of others of `vit`.

    Raises:
        InputError: no such file, or a model of another kind.
    """
    trained = load_model(file)
    given = {**described(trained), **arguments}
    new_head |= num_classes not in (None, given["num_classes"])
    if num_classes is not None:
        given["num_classes"] = num_classes
    if image_size is not None:
        given["image_size"] = image_size
    with uninitialized_weights():
        model = vit(**given)
    weights = {weight.path: weight for weight in trained.weights}
    for weight in model.weights:
        if not (new_head and weight.path.startswith(HEADS)):
            set_weight(weight, _values(weights[weight.path], weight, trained, model))
    initialize(model)
    model.preprocessing = preprocessing_of(file, trained).for_size(model.input_shape[1:3])
    return model


def preprocessing_of(file, model=None):
    """Returns the `Preprocessing` kept beside a `.keras` file; else images are stretched, as in training."""
    beside = Path(file).parent / PREPROCESSING
    if beside.is_file():
        return Preprocessing.from_json(read_json(beside), beside)
    arguments = described(model or load_model(file))
    return Preprocessing.stretching(
        arguments["image_size"], mean=arguments["pixel_mean"], std=arguments["pixel_std"]
    )


def _values(weight, target, trained, model):
    values = ops.convert_to_numpy(weight)
    if weight.path == POSITIONS:
        old, new = (m.get_layer("position_embedding").grid_size for m in (trained, model))
        values = values if old == new else resample(values, old, new)
    if values.shape != tuple(target.shape):
        raise InputError(f"{weight.path} has the shape {values.shape}, which does not fit {target.shape}.")
    return values
