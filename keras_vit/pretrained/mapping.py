"""Applies a mapping table: their tensors to the weights of our model, and back."""

import re
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.keras_internals import set_weight
from keras_vit.pretrained.layouts import KERNEL, PLAIN, Layout
from keras_vit.pretrained.tensors import Tensors

POSITIONS = "position_embedding/embedding"
MAX_LISTED = 8  # names in a message


class Row(NamedTuple):
    """One weight: its path in our model, the name or names of theirs, and their layout.

    `{i}` in paths and names is the number of the block. Several names are parts that are concatenated on our
    last axis (query, key and value). A layout that depends on the size of a head is a function of it.
    """

    ours: str
    theirs: str | tuple
    layout: Layout | Callable = PLAIN


def linear(ours, *theirs, layout=KERNEL):
    """Returns the rows of a dense layer, which may be several layers of theirs."""
    return (
        Row(f"{ours}/kernel", tuple(f"{name}.weight" for name in theirs), layout),
        Row(f"{ours}/bias", tuple(f"{name}.bias" for name in theirs)),
    )


def norm(ours, theirs):
    """Returns the rows of a layer normalization."""
    return Row(f"{ours}/gamma", f"{theirs}.weight"), Row(f"{ours}/beta", f"{theirs}.bias")


class Link(NamedTuple):
    """A weight of a model and its tensors in the file."""

    weight: keras.Variable
    names: tuple
    layout: Layout

    @property
    def part_shape(self):
        """The shape of one tensor's part of the weight."""
        *leading, last = self.weight.shape
        return (*leading, last // len(self.names))


def read_weights(model: keras.Model, table: tuple[Row, ...], tensors: Tensors, unused=(), kept=()):
    """Assigns tensors to the weights of a built model, each tensor once and each weight once.

    `unused` are regular expressions of names that the family's image models do not use. Weights whose paths
    start with one of `kept` keep their initial values (a new head); their tensors are ignored. Tensors that
    are missing, unused, of another shape or not finite are an InputError that lists them.
    """
    links = _links(model, table, kept)
    left_out = {name for row in table if kept and row.ours.startswith(kept) for name in _names(row, "")}
    _check_names(links, left_out, tensors, unused)
    wrong = [problem for link in links if (problem := _misfit(link, tensors))]
    if wrong:
        raise InputError(
            f"{tensors.where}: tensors do not fit the model: {listed(sorted(wrong), MAX_LISTED)}."
        )
    for link in links:
        array = _array(link, tensors)
        if not np.isfinite(array).all():
            raise InputError(f"{tensors.where}: {listed(link.names)} contains NaN or infinity.")
        set_weight(link.weight, array)


def write_tensors(model: keras.Model, table: tuple[Row, ...], patch: tuple) -> dict[str, np.ndarray]:
    """Returns the arrays of a model under the names of a family; `patch` is `(height, width, channels)`."""
    arrays = {}
    for weight, names, layout in _links(model, table):
        parts = np.split(keras.ops.convert_to_numpy(weight.value), len(names), axis=-1)
        for name, part in zip(names, parts, strict=True):
            array = np.ascontiguousarray(layout.write(part, patch), dtype="float32")
            # Two weights of ours may be the first and the last rows of one tensor.
            arrays[name] = np.concatenate([arrays[name], array]) if name in arrays else array
    return arrays


def _links(model, table, kept=()):
    by_path = {row.ours: row for row in table}
    links, unknown = [], []
    for weight in model.weights:
        if kept and weight.path.startswith(kept):
            continue
        match = re.search(r"block_(\d+)", weight.path)
        row = by_path.get(weight.path.replace(match[0], "block_{i}", 1) if match else weight.path)
        if row is None:
            unknown.append(weight.path)
        else:
            layout = row.layout(_head_dim(model)) if callable(row.layout) else row.layout
            links.append(Link(weight, _names(row, match[1] if match else ""), layout))
    if unknown:
        raise InputError(f"This family has no names for the weights {listed(sorted(unknown), MAX_LISTED)}.")
    return links


def _head_dim(model):
    return model.get_layer("patch_embedding").hidden_dim // model.get_layer("encoder").num_heads


def _names(row, index):
    names = (row.theirs,) if isinstance(row.theirs, str) else row.theirs
    return tuple(name.replace("{i}", index) for name in names)


def _check_names(links, left_out, tensors, unused):
    wanted = {name for link in links for name in link.names}
    missing = wanted - set(tensors)
    extra = set(tensors) - wanted - left_out
    extra = {name for name in extra if not any(re.search(pattern, name) for pattern in unused)}
    wrong = (("missing", missing), ("unused", extra))
    if problems := [f"{kind}: {listed(sorted(names), MAX_LISTED)}" for kind, names in wrong if names]:
        raise InputError(
            f"{tensors.where}: the tensors are not those of this model; {'; '.join(problems)}. "
            "Are they of another family, or incomplete?"
        )


def _misfit(link, tensors):
    """Describes the tensors whose shapes differ from those of our model, without reading them."""
    shapes = {name: tensors.shape(name) for name in link.names}
    wrong = {name: s for name, s in shapes.items() if not link.layout.fits(s, link.part_shape)}
    return ", ".join(f"{name} {shape} for {link.part_shape}" for name, shape in wrong.items())


def _array(link, tensors):
    arrays = [link.layout.read(tensors[name].read(), link.part_shape) for name in link.names]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)
