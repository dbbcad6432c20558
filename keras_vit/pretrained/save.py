"""Saves our models as timm's or transformers' own."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_vit.errors import InputError
from keras_vit.io.files import atomic_path, write_text
from keras_vit.io.json_files import write_json
from keras_vit.io.label_names import read_label_names
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
        labels: list of str, names of the classes. None: those of the run, if there is one.
        run_dir: str or Path of the run that trained the model, whose recipe and metrics go into the
            model card, or None.

    Raises:
        InputError: an unknown format, a model that the library has no graph for, another number of labels
            than of classes, no such run, or a folder with something else than an earlier model in it.
    """
    if format not in FORMATS:
        raise InputError(f"Expected format to be one of {', '.join(FORMATS)}, received {format!r}.")
    arguments = described(model)
    labels = _labels(labels, run_dir, arguments["num_classes"])
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
        card = model_card(arguments, format, writing.files["config.json"], labels, run_dir)
        write_text(folder / "README.md", card)


def _labels(labels, run_dir, num_classes):
    if run_dir is not None:
        if not Path(run_dir, "recipe.json").is_file():
            raise InputError(f"Expected the folder of a run at {run_dir}, found no recipe.json there.")
        if labels is None and Path(run_dir, "labels.txt").is_file():
            labels = read_label_names(Path(run_dir, "labels.txt"))
    if labels is not None and len(labels) != num_classes:
        raise InputError(f"Expected {num_classes} labels, one for each class, received {len(labels)}.")
    return labels


def _family(arguments, preprocessing, format, labels):
    found, reasons = _writing(arguments, preprocessing, format, labels)
    if found is None:
        others = [f for f in FORMATS if f != format and _writing(arguments, preprocessing, f, labels)[0]]
        hint = f" format={others[0]!r} has one." if others else ""
        raise InputError(f"{format} has no graph for this model: {'; '.join(reasons)}.{hint}")
    return found


def _writing(arguments, preprocessing, format, labels):
    """The first family of a format that can hold the model, with its Writing, or None; why others cannot."""
    reasons = []
    for family in FAMILIES:
        if family.format == format and family.written is not None:
            try:
                return (family, family.written(arguments, preprocessing, labels)), reasons
            except InputError as error:
                reasons.append(f"{family.name} {error}")
    return None, reasons


def _preprocessing(model, arguments):
    scaling = {"mean": arguments["pixel_mean"], "std": arguments["pixel_std"]}
    known = getattr(model, "preprocessing", None)
    if known is None:  # trained here, where keras_vit.io.images.read_image stretches
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
