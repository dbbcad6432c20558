"""Saves our models as timm's or transformers' own."""

import dataclasses

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_vit.errors import InputError
from keras_vit.files import atomic_path, write_json, write_text
from keras_vit.pretrained.description import described
from keras_vit.pretrained.families import FAMILIES
from keras_vit.pretrained.load import POSITIONS
from keras_vit.pretrained.mapping import write_tensors
from keras_vit.pretrained.model_card import model_card
from keras_vit.pretrained.preprocessing import Preprocessing
from keras_vit.pretrained.resampling import resample

FORMATS = ("timm", "huggingface")


def save(model, path, format="timm", *, labels=None, run_dir=None):
    """Saves a Vision Transformer as a folder that timm or transformers loads, with the same logits.

    Args:
        model: made by `keras_vit.models.vit` or `load`, fine-tuned or not.
        path: str or Path of the folder.
        format: `"timm"` (`timm.create_model("local-dir:PATH", pretrained=True)`) or `"huggingface"`
            (`AutoModel...from_pretrained(PATH)`).
        labels: list of str, names of the classes, or None.
        run_dir: str or Path of the run that trained the model, whose recipe and metrics go into the
            model card, or None.

    Raises:
        InputError: an unknown format, a model that the library has no graph for, or a folder with something
            else than an earlier model in it.
    """
    if format not in FORMATS:
        raise InputError(f"Expected format to be one of {', '.join(FORMATS)}, received {format!r}.")
    arguments = described(model)
    family, writing = _family(arguments, _preprocessing(model, arguments), format, labels)
    channels = arguments["channels"]
    arrays = write_tensors(model, family.table, (*arguments["patch_size"], channels))
    arrays |= {name: make(arrays) for name, make in writing.added.items()}
    arrays |= _positions(model, family)
    named = {writing.rename(name): array for name, array in arrays.items()}
    with atomic_path(path, mark="model.safetensors") as folder:
        folder.mkdir()
        save_file(named, folder / "model.safetensors", metadata={"format": "pt"})
        for name, content in writing.files.items():
            write_json(folder / name, content)
        write_text(folder / "README.md", model_card(arguments, format, labels, run_dir))


def _family(arguments, preprocessing, format, labels):
    reasons = []
    for family in FAMILIES:
        if family.format != format or family.written is None:
            continue
        try:
            return family, family.written(arguments, preprocessing, labels)
        except InputError as error:
            reasons.append(f"{family.name} {error}")
    raise InputError(f"{format} has no graph for this model: {'; '.join(reasons)}.")


def _preprocessing(model, arguments):
    scaling = {"mean": arguments["pixel_mean"], "std": arguments["pixel_std"]}
    known = getattr(model, "preprocessing", None)
    if known is None:  # trained here, where keras_vit.images.read_image stretches
        return Preprocessing.stretching(arguments["image_size"], **scaling)
    return dataclasses.replace(known, image_size=arguments["image_size"], **scaling)


def _positions(model, family):
    """Positions that our model computes on the way through are a table over there."""
    layer = next((x for x in model.layers if x.name == "position_embedding"), None)
    if layer is None:
        return {}
    row = next(row for row in family.table if row.ours == POSITIONS)
    table = np.array(keras.ops.convert_to_numpy(layer.embedding), "float32")
    target = layer.target_grid_size
    if layer.kind == "learned" and target not in (None, layer.grid_size):
        table = resample(table, layer.grid_size, target)
    return {row.theirs: np.ascontiguousarray(row.layout.write(table, None))}
