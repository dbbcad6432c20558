"""Saves our models in the formats of timm and transformers."""

import dataclasses
import os
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_vit.constraints import Choices, checked
from keras_vit.errors import InputError, counted
from keras_vit.io import markdown
from keras_vit.io.files import atomic_path, write_text
from keras_vit.io.json_files import read_json, write_json
from keras_vit.io.label_names import read_label_names
from keras_vit.io.preprocessing import attached_preprocessing
from keras_vit.layers._options import BLOCK_DEFAULTS, DENSE_DEFAULTS
from keras_vit.pretrained.families import FAMILIES
from keras_vit.pretrained.mapping import POSITIONS, write_tensors
from keras_vit.pretrained.resampling import resample
from keras_vit.pretrained.run_source import stretching_of
from keras_vit.pretrained.vit_arguments import vit_arguments

FORMATS = {"timm": "timm", "huggingface": "transformers"}  # and the library that loads it
LOADING = {
    "timm": 'import timm\n\nmodel = timm.create_model("local-dir:PATH", pretrained=True)',
    "huggingface": 'from transformers import {kind}\n\nmodel = {kind}.from_pretrained("PATH")',
}
# Options of blocks that each family writes or requires.
OPTIONS = {
    "layer_scale", "qk_norm", "qkv_bias", "key_bias", "activation", "inner_norm", "epsilon", "norm_first"
}  # fmt: skip
MODEL_FIELDS = ("image_size", "patch_size", "hidden_dim", "num_layers", "num_heads", "mlp_dim", "pooling")


@checked
def save(
    model: keras.Model,
    path: str | os.PathLike,
    format: Annotated[str, Choices(*FORMATS)] = "timm",
    *,
    labels: list[str] | None = None,
    run_dir: str | os.PathLike | None = None,
) -> None:
    """Saves a Vision Transformer as a folder that timm or transformers loads, with the same logits.

    Args:
        model: `keras.Model` built by `keras_vit.models.vit` or `load`.
        path: str or Path of the folder.
        format: `"timm"` (`timm.create_model("local-dir:PATH", pretrained=True)`) or `"huggingface"`
            (`AutoModel...from_pretrained(PATH)`).
        labels: list of str, names of the classes. None: those of the run, if there is one.
        run_dir: str or Path of the run that trained the model, whose recipe and metrics are added to the
            model card, or None.

    Raises:
        InputError: an unknown format, a model that the library has no graph for, another number of labels
            than of classes, no such run, or a folder that contains something else than an earlier model.

    Example:
        >>> import os, tempfile, keras_vit
        >>> tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1}
        >>> folder = os.path.join(tempfile.mkdtemp(), "tiny")
        >>> keras_vit.pretrained.save(keras_vit.models.vit(**tiny, mlp_dim=8, num_classes=3), folder)
        >>> sorted(os.listdir(folder))
        ['README.md', 'config.json', 'model.safetensors']
    """
    arguments = vit_arguments(model)
    check_options(arguments)
    labels = _labels(labels, run_dir, arguments["num_classes"])
    prepared = _preprocessing(model, arguments)
    family, export = _family(arguments, prepared, format, labels)
    rows = family.table(arguments)
    arrays = write_tensors(model, rows, (*arguments["patch_size"], arguments["channels"]))
    arrays |= export.added | _positions(model, rows)
    named = {export.rename(name): array for name, array in arrays.items()}
    with atomic_path(path, mark="model.safetensors") as folder:
        folder.mkdir()
        save_file(named, folder / "model.safetensors", metadata={"format": "pt"})
        for name, content in export.files.items():
            write_json(folder / name, content)
        card = _model_card(arguments, prepared, format, export.files["config.json"], labels, run_dir)
        write_text(folder / "README.md", card)


def check_options(arguments: dict) -> None:
    """Raises InputError for an option of the blocks that other libraries lack, and the file would lose."""
    if arguments.get("token_reduction") is not None:
        raise InputError(
            "Other libraries have no Vision Transformer that reduces its tokens: received a model with "
            f"token_reduction={arguments['token_reduction']!r}. Save it as .keras, or export it."
        )
    for option in (BLOCK_DEFAULTS.keys() - DENSE_DEFAULTS.keys() - OPTIONS) & arguments.keys():
        value, default = arguments[option], BLOCK_DEFAULTS[option]
        if value != default:
            raise InputError(f"Saving for other libraries needs {option}={default!r}, received {value!r}.")


def _labels(labels, run_dir, num_classes):
    if run_dir is not None:
        if not Path(run_dir, "recipe.json").is_file():
            raise InputError(f"Expected the folder of a run at {run_dir}, found no recipe.json there.")
        if labels is None and Path(run_dir, "labels.txt").is_file():
            labels = read_label_names(Path(run_dir, "labels.txt"))
    if labels is not None and len(labels) != num_classes:
        raise InputError(
            f"Expected {counted(num_classes, 'label')}, one for each class, received {len(labels)}."
        )
    return labels


def _family(arguments, preprocessing, format, labels):
    found, reasons = _export(arguments, preprocessing, format, labels)
    if found is None:
        others = [f for f in FORMATS if f != format and _export(arguments, preprocessing, f, labels)[0]]
        hint = f" format={others[0]!r} has one." if others else ""
        raise InputError(f"{format} has no graph for this model: {'; '.join(reasons)}.{hint}")
    return found


def _export(arguments, preprocessing, format, labels):
    """Returns the first family with the model's graph and its Export, or None; and why others have none."""
    reasons = []
    for family in FAMILIES:
        if family.format == format and family.export is not None:
            try:
                return (family, family.export(arguments, preprocessing, labels)), reasons
            except InputError as error:
                reasons.append(f"{family.name} {error}")
    return None, reasons


def _preprocessing(model, arguments):
    known = attached_preprocessing(model)
    if known is None:
        return stretching_of(arguments)
    scaling = {"mean": arguments["pixel_mean"], "std": arguments["pixel_std"]}
    return dataclasses.replace(known, image_size=arguments["image_size"], **scaling)


def _positions(model, rows):
    """Positions that our model computes when it is called are a table in the file."""
    layer = next((x for x in model.layers if x.name == "position_embedding"), None)
    if layer is None:
        return {}
    row = next(row for row in rows if row.ours == POSITIONS)
    table = np.array(keras.ops.convert_to_numpy(layer.embedding), "float32")
    target = layer.target_grid_size
    if layer.kind == "learned" and target not in (None, layer.grid_size):
        table = resample(table, layer.grid_size, target)
    return {row.theirs: np.ascontiguousarray(row.layout.write(table, None))}


def _model_card(arguments, prepared, format, config, labels, run_dir) -> str:
    """Returns the text of a model card, with the recipe and the metrics of a run if there is one."""
    head = f"---\nlibrary_name: {FORMATS[format]}\ntags:\n- image-classification\n- keras_vit\n---\n"
    parts = [head, "# Vision Transformer\n", "Trained or converted with keras_vit.\n"]
    parts.append(_table("Model", {field: arguments[field] for field in MODEL_FIELDS}))
    parts.append(f"Images: {prepared.words}.\n")
    if labels:
        parts.append(f"Classes: {', '.join(labels)}.\n")
    for title, name in (("Recipe", "recipe.json"), ("Metrics", "metrics.json")):
        path = Path(run_dir) / name if run_dir else None
        if path and path.is_file():
            parts.append(_table(title, _flat(read_json(path, dict))))
    loading = LOADING[format].replace("{kind}", *config.get("architectures", [""]))
    parts.append(f"## Use\n\n```python\n{loading}\n```\n")
    return "\n".join(parts)


def _table(title, values):
    return f"## {title}\n\n{markdown.table(('field', 'value'), values.items())}\n"


def _flat(values):
    """Returns numbers and strings, also of inner dicts; lists are too long for a card."""
    nested = {k: v for k, v in values.items() if isinstance(v, dict)}
    flat = {k: v for k, v in values.items() if isinstance(v, (int, float, str)) and v != ""}
    for name, group in nested.items():
        flat |= {f"{name} {k}": v for k, v in group.items() if isinstance(v, (int, float, str))}
    return {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in flat.items()}
