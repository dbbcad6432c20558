"""timm's `Levit`, with dense layers or convolutions.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/levit.py
"""

import math

from keras_vit.errors import InputError
from keras_vit.models.levit import SIZES, levit
from keras_vit.pretrained.families import timm
from keras_vit.pretrained.families.batch_normalized import UNUSED, batch_norm, convolution, stages_of
from keras_vit.pretrained.family import Family, Reading
from keras_vit.pretrained.layouts import Layout
from keras_vit.pretrained.mapping import Row, linear

GRAPH = dict.fromkeys(("stem_backbone", "stem_type", "down_op", "act_layer", "attn_act_layer", "attn_ratio"))
FIRST = "stages.0.blocks.0.attn"


def read(config, tensors):
    timm.check_graph(config, tensors, GRAPH)
    heads, layers = stages_of(tensors, "attn.attention_biases")
    dims, _ = stages_of(tensors, "mlp.ln2.linear.weight")
    stem = tuple(_stem(tensors))
    key_dim = tensors.size(f"{FIRST}.qkv.bn.weight") // (4 * heads[0])
    found = (stem, dims, key_dim, heads, layers)
    variants = [name for name, row in SIZES.items() if found == (tuple(f for f, _ in row.stem), *row[1:5])]
    if not variants:
        raise InputError(
            f"{tensors.where}: no LeViT of keras_vit has stages of {dims} channels and {layers} layers."
        )
    grid = (math.isqrt(tensors.size(f"{FIRST}.attention_biases", axis=1)),) * 2
    preprocessing = timm.preprocessing_of(config)
    arguments = {
        "variant": variants[0],
        "image_size": timm.image_size_of(grid, (2 ** len(stem),) * 2),
        "num_classes": tensors.size("head.linear.weight"),
        "channels": tensors.size("stem.conv1.linear.weight", axis=1),
        "distillation_head": "head_dist.linear.weight" in tensors,
    }
    return Reading(arguments, preprocessing)


def _stem(tensors):
    number = 1
    while f"stem.conv{number}.linear.weight" in tensors:
        yield tensors.size(f"stem.conv{number}.linear.weight")
        number += 1


def table(arguments):
    row = SIZES[arguments["variant"]]
    rows = [r for i in range(len(row.stem)) for r in convolution(f"stem_{i}", f"stem.conv{i + 1}", "linear")]
    for stage in range(len(row.hidden_dims)):
        if stage > 0:
            ours, theirs = f"{stage}_shrinking", f"stages.{stage}.downsample"
            num_heads = row.hidden_dims[stage - 1] // row.key_dim
            rows += _attention(ours, f"{theirs}.attn_downsample", num_heads, row.key_dim, 4 * row.key_dim)
            rows += _mlp(ours, theirs)
        for index in range(row.num_layers[stage]):
            ours, theirs = f"{stage}_{index}", f"stages.{stage}.blocks.{index}"
            rows += _attention(ours, f"{theirs}.attn", row.num_heads[stage], row.key_dim, 2 * row.key_dim)
            rows += _mlp(ours, theirs)
    for ours, theirs in (("head", "head"), ("distillation_head", "head_dist")):
        rows += [*batch_norm(f"norm_{ours}", f"{theirs}.bn"), *linear(ours, f"{theirs}.linear")]
    return tuple(rows)


def _attention(place, theirs, num_heads, key_dim, value_dim):
    """Theirs have one layer for queries, keys and values, in which the parts of each head are together.

    Where the grid shrinks, queries have one of their own.
    """
    ours, is_shrinking = f"attention_{place}", theirs.endswith("downsample")
    sizes = {"query": key_dim, "key": key_dim, "value": value_dim}
    shared = {part: size for part, size in sizes.items() if not (is_shrinking and part == "query")}
    rows, start = [Row(f"{ours}/attention_bias", f"{theirs}.attention_biases")], 0
    for part, size in shared.items():
        layout = _part_of_heads(num_heads, sum(shared.values()), slice(start, start + size))
        rows += _layer(f"{ours}/{part}", f"{theirs}.{'kv' if is_shrinking else 'qkv'}", layout)
        start += size
    whole = _part_of_heads(1, None, slice(None))
    if is_shrinking:
        rows += _layer(f"{ours}/query", f"{theirs}.q.ln", whole)
    return rows + _layer(f"{ours}/projection", f"{theirs}.proj.ln", whole)


def _layer(ours, theirs, layout):
    norm = [row._replace(layout=layout) for row in batch_norm(f"{ours}_norm", f"{theirs}.bn")]
    return [Row(f"{ours}/kernel", f"{theirs}.linear.weight", layout), *norm]


def _part_of_heads(num_heads, width, part):
    """Returns the layout of a part of each head's outputs, of weights `(outputs, ...)` or vectors."""

    def read(array, shape):
        heads = array.reshape(num_heads, width or array.shape[0], -1)[:, part]
        return heads.reshape(-1, heads.shape[-1]).T.reshape(shape)

    return Layout(read, None)


def _mlp(place, theirs):
    return [
        *convolution(f"{place}_expansion", f"{theirs}.mlp.ln1", "linear"),
        *convolution(f"{place}_projection", f"{theirs}.mlp.ln2", "linear"),
    ]


FAMILY = Family(
    name="timm LeViT",
    table=table,
    signatures=({"stem.conv1.linear.weight", f"{FIRST}.qkv.linear.weight", f"{FIRST}.attention_biases"},),
    read=read,
    unused=UNUSED,
    build=levit,
    any_size=False,
)
