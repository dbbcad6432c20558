"""EVA-02 as timm's `Eva`.

It rotates pairs of neighbouring channels of a head, our models pairs of one channel from each half: the
channels of queries, keys and values are reordered, and so are the inputs of the projection.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/eva.py
"""

import re

from keras_vit.errors import InputError
from keras_vit.pretrained.families import timm
from keras_vit.pretrained.family import Family, Reading, require
from keras_vit.pretrained.layouts import KERNEL, PLAIN, in_pairs, tokens
from keras_vit.pretrained.mapping import Row, norm

_OURS, _THEIRS = f"{timm.BLOCK}/attention", f"{timm.THEIRS}.attn"
_PARTS = tuple(f"{_THEIRS}.{part}_proj" for part in "qkv")

ROWS = (
    *(row for row in timm.ROWS if row.ours != f"{_OURS}/projection/kernel"),
    Row("position_embedding/embedding", "pos_embed", tokens(3)),
    Row(f"{_OURS}/projection/kernel", f"{_THEIRS}.proj.weight", in_pairs(KERNEL, axis=1)),
)
SMALL = (
    *ROWS,
    Row(f"{_OURS}/qkv/kernel", f"{_THEIRS}.qkv.weight", in_pairs(KERNEL)),
    Row(f"{_OURS}/query_value_bias/bias", (f"{_THEIRS}.q_bias", f"{_THEIRS}.v_bias"), in_pairs(PLAIN)),
    *timm.EXPANSION,
)
# The larger ones have a layer for each part, and norms inside attention and MLP.
LARGE = (
    *ROWS,
    Row(f"{_OURS}/qkv/kernel", tuple(f"{part}.weight" for part in _PARTS), in_pairs(KERNEL)),
    Row(f"{_OURS}/query_value_bias/bias", (f"{_PARTS[0]}.bias", f"{_PARTS[2]}.bias"), in_pairs(PLAIN)),
    Row(f"{_OURS}/norm/gamma", f"{_THEIRS}.norm.weight", in_pairs(PLAIN)),
    Row(f"{_OURS}/norm/beta", f"{_THEIRS}.norm.bias", in_pairs(PLAIN)),
    *timm.GATED_EXPANSION,
    *norm(f"{timm.BLOCK}/mlp/norm", f"{timm.THEIRS}.mlp.norm"),
)
GRAPH = {
    **timm.EVA_GRAPH,
    "use_rot_pos_emb": True,
    "rope_type": "cat",
    "rope_rotate_half": False,
    "no_embed_class": False,
}
REFERENCE_GRID = (16, 16)  # of all published models


def read(config, tensors):
    model_args = config.get("model_args", {})
    timm.check_graph(config, tensors, GRAPH)
    has = tensors.__contains__
    arguments = timm.arguments_of(config, tensors)
    configured = timm.configured_grid(config, arguments["patch_size"])
    grid, _ = timm.grid_of(tensors, configured, (int(has("cls_token")),))
    reference = model_args.get("ref_feat_shape") or REFERENCE_GRID
    inner_norm = "mlp" if has("blocks.0.mlp.norm.weight") else None
    arguments |= {
        "image_size": timm.image_size_of(grid, arguments["patch_size"]),
        "pooling": timm.configured_pooling(config, tensors) or ("gap" if has("fc_norm.weight") else "token"),
        "position_embedding": "learned_rotary",
        "rotary_base": float(model_args.get("rope_temperature", 10_000)),
        "rotary_grid_size": (reference, reference) if isinstance(reference, int) else tuple(reference),
        "qkv_bias": has("blocks.0.attn.q_bias") or has("blocks.0.attn.q_proj.bias"),
        "key_bias": False,
        "activation": "swiglu",
        "inner_norm": "both" if has("blocks.0.attn.norm.weight") else inner_norm,
        "epsilon": 1e-6,
    }
    return Reading(arguments, timm.preprocessing_of(config))


def export(arguments, preprocessing, labels):
    timm.require_eva(
        arguments,
        epsilon=1e-6,
        position_embedding="learned_rotary",
        activation="swiglu",
        layer_scale=None,
        num_registers=0,
        embed_prefix=True,
        inner_norm=(None, "mlp", "both"),
    )
    if arguments["qkv_bias"]:
        require(arguments, key_bias=False)
    if arguments["rotary_grid_size"] is None:
        raise InputError("needs rotary_grid_size, received None")
    return timm.export(
        arguments,
        preprocessing,
        labels,
        "eva02_base_patch14_224" if arguments["inner_norm"] else "eva02_tiny_patch14_224",
        scale_attn_inner=arguments["inner_norm"] == "both",
        use_fc_norm=arguments["norm_pooled"],
        rope_temperature=arguments["rotary_base"],
        ref_feat_shape=list(arguments["rotary_grid_size"]),
    )


FAMILY = Family(
    name="timm EVA-02",
    table=lambda arguments: LARGE if arguments["inner_norm"] else SMALL,
    signatures=(
        {"blocks.0.attn.qkv.weight", "pos_embed"},
        {"blocks.0.attn.q_proj.weight", "blocks.0.mlp.norm.weight"},
    ),
    accepts=lambda config, names: re.match("eva02_(?!.*enormous)", config.get("architecture", "")),
    read=read,
    export=export,
)
