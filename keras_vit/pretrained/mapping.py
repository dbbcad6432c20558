"""Applies a family's mapping table: their tensors into our model's weights, and back."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_vit.errors import InputError
from keras_vit.keras_internals import set_weight
from keras_vit.pretrained.layouts import KERNEL, PLAIN, Layout

SHOWN = 8  # names in a message


class Row(NamedTuple):
    """One weight: its path in our model, their name or names, and how it lies there.

    `{i}` stands for the number of the block in both. Several names are parts that follow each other on our
    last axis (query, key and value). A layout that depends on the size of a head is a function of it.
    """

    ours: str
    theirs: str | tuple
    layout: Layout | Callable = PLAIN


def linear(ours, *theirs):
    """Rows of a dense layer; several layers of theirs are one of ours."""
    return (
        Row(f"{ours}/kernel", tuple(f"{name}.weight" for name in theirs), KERNEL),
        Row(f"{ours}/bias", tuple(f"{name}.bias" for name in theirs)),
    )


def norm(ours, theirs):
    """Rows of a layer normalisation."""
    return Row(f"{ours}/gamma", f"{theirs}.weight"), Row(f"{ours}/beta", f"{theirs}.bias")


class Link(NamedTuple):
    """A weight of a model and the tensors that it stands for."""

    weight: object
    names: tuple
    layout: Layout


def read_weights(model, table, tensors, unused=(), kept=()):
    """Assigns their tensors to a model's weights; each tensor must serve, and each weight be served.

    Args:
        model: a built model of ours.
        table: rows of the family.
        tensors: `Tensors`.
        unused: regular expressions of names that the family's image models have no use for.
        kept: beginnings of our paths that keep their initial values (a new head); tensors of theirs
            that would have gone there are left.

    Raises:
        InputError: missing, unused or ill-shaped tensors, of which all are listed, or one that is not finite.
    """
    links = _links(model, table, kept)
    _check_names(links, _names_of(table, kept), tensors, unused)
    wrong = [problem for link in links if (problem := _misfit(link, tensors))]
    if wrong:
        raise InputError(f"{tensors.where}: tensors that do not fit the model: {listed(wrong)}.")
    for link in links:
        array = _array(link, tensors)
        if not np.isfinite(array).all():
            raise InputError(f"{tensors.where}: {listed(filter(None, link.names))} holds NaN or infinity.")
        set_weight(link.weight, array)


def write_tensors(model, table, patch):
    """Returns their names and arrays for a model of ours.

    Args:
        model: a built model.
        table: rows of the family.
        patch: `(height, width, channels)` of a patch in pixels.

    Raises:
        InputError: the table has no place for a weight.
    """
    arrays = {}
    for weight, names, layout in _links(model, table):
        parts = np.split(ops.convert_to_numpy(weight.value), len(names), axis=-1)
        for name, part in zip(names, parts, strict=True):
            array = np.ascontiguousarray(layout.write(part, patch), dtype="float32")
            # Two weights of ours that are one tensor of theirs lie under each other there.
            arrays[name] = np.concatenate([arrays[name], array]) if name in arrays else array
    return arrays


def listed(names):
    """Returns names in one line, the first of them if they are many."""
    names = sorted(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


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
            links.append(Link(weight, _spelled(row, match[1] if match else ""), layout))
    if unknown:
        raise InputError(f"This family has no place for the weights {listed(unknown)}.")
    return links


def _head_dim(model):
    return model.get_layer("patch_embedding").hidden_dim // model.get_layer("encoder").num_heads


def _spelled(row, index):
    names = (row.theirs,) if isinstance(row.theirs, str) else row.theirs
    return tuple(name.replace("{i}", index) for name in names)


def _names_of(table, kept):
    rows = [row for row in table if kept and row.ours.startswith(kept)]
    return {name for row in rows for name in _spelled(row, "")}


def _check_names(links, left_out, tensors, unused):
    wanted = {name for link in links for name in link.names}
    missing = wanted - set(tensors.names())
    extra = set(tensors.names()) - wanted - left_out
    extra = {name for name in extra if not any(re.search(pattern, name) for pattern in unused)}
    if missing or extra:
        parts = [f"missing: {listed(missing)}"] * bool(missing) + [f"unused: {listed(extra)}"] * bool(extra)
        raise InputError(
            f"{tensors.where}: the tensors are not those of this model; {'; '.join(parts)}. "
            "Is it of another family, or incomplete?"
        )


def _misfit(link, tensors):
    """Says which tensors would have another shape in our model; the arrays stay unread."""
    part = _part_shape(link)
    shapes = {name: tuple(tensors.shape(name)) for name in link.names}
    sizes = {name: link.layout.fits(shape, part) for name, shape in shapes.items()}
    return ", ".join(f"{name} {shapes[name]} for {part}" for name, fits in sizes.items() if not fits)


def _array(link, tensors):
    part = _part_shape(link)
    arrays = [link.layout.read(tensors[name], part) for name in link.names]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)


def _part_shape(link):
    *leading, last = link.weight.shape
    return (*leading, last // len(link.names))
