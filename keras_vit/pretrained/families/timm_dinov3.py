"""timm's `Eva` as DINOv3 has it.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/eva.py
"""

import re

from keras_vit.pretrained.families import timm
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.mapping import Row, linear

_ROWS = (
    *timm.ROWS,
    *linear(f"{timm.BLOCK}/attention/qkv", f"{timm.THEIRS}.attn.qkv"),
    Row(
        f"{timm.BLOCK}/attention/query_value_bias/bias",
        (f"{timm.THEIRS}.attn.q_bias", f"{timm.THEIRS}.attn.v_bias"),
    ),
    Row(f"{timm.BLOCK}/attention_scale/gamma", f"{timm.THEIRS}.gamma_1"),
    Row(f"{timm.BLOCK}/mlp_scale/gamma", f"{timm.THEIRS}.gamma_2"),
)
TABLE = (*_ROWS, *linear(f"{timm.BLOCK}/mlp/expansion", f"{timm.THEIRS}.mlp.fc1"))
# Where an MLP is gated, gate and value are two layers.
SWIGLU = (
    *_ROWS,
    *linear(f"{timm.BLOCK}/mlp/expansion", f"{timm.THEIRS}.mlp.fc1_g", f"{timm.THEIRS}.mlp.fc1_x"),
)

ARCHITECTURES = r"dinov3|lingbot"
# What the builder of such an architecture has; with another value it is another graph under these names.
GRAPH = {
    "rope_type": "dinov3",
    "rope_rotate_half": True,
    "rope_grid_offset": 0,
    "rope_grid_indexing": "ij",
    "use_post_norm": False,
    "norm_layer": None,
}
HEADS = {4096: 32}  # else they are 64 wide


def recognises(config, names):
    return _is_dinov3(config, names) and "blocks.0.mlp.fc1.weight" in names


def recognises_swiglu(config, names):
    return _is_dinov3(config, names) and "blocks.0.mlp.fc1_g.weight" in names


def _is_dinov3(config, names):
    rotates = config.get("model_args", {}).get("rope_type") == "dinov3"
    known = rotates or re.search(ARCHITECTURES, config.get("architecture", ""))
    alike = {"reg_token", "blocks.0.gamma_1", "blocks.0.gamma_2", "blocks.0.attn.qkv.weight"} <= set(names)
    return bool(known) or "architecture" not in config and alike and "pos_embed" not in names


def read(config, tensors):
    architecture, model_args = config.get("architecture", ""), config.get("model_args", {})
    timm.check_graph(
        config, tensors, False, [key for key, value in GRAPH.items() if model_args.get(key, value) != value]
    )
    has = tensors.__contains__
    preprocessing = timm.preprocessing_of(config)
    arguments = timm.arguments_of(config, tensors, preprocessing)
    patch_size, hidden_dim = arguments["patch_size"], arguments["hidden_dim"]
    grid = timm.given_grid(config, patch_size) or (14, 14)
    arguments |= {
        "image_size": (grid[0] * patch_size[0], grid[1] * patch_size[1]),
        "num_heads": model_args.get("num_heads") or HEADS.get(hidden_dim, hidden_dim // 64),
        "pooling": timm.stated_pooling(config, tensors) or ("token" if "lingbot" in architecture else "gap"),
        "position_embedding": "rotary",
        "rotary_base": float(model_args.get("rope_temperature", 100)),
        "qkv_bias": has("blocks.0.attn.q_bias") or has("blocks.0.attn.qkv.bias"),
        "key_bias": has("blocks.0.attn.qkv.bias"),
        "layer_scale": 1e-5 if has("blocks.0.gamma_1") else None,
        "activation": "swiglu" if has("blocks.0.mlp.fc1_g.weight") else "gelu",
        "epsilon": 1e-6 if architecture == PLAIN_EPSILON else 1e-5,
    }
    return Reading(arguments, preprocessing)


def written(arguments, preprocessing, labels):
    require(arguments, activation="gelu")
    return _written(arguments, preprocessing, labels, {"swiglu_mlp": False, "swiglu_align_to": 0})


def written_swiglu(arguments, preprocessing, labels):
    require(arguments, activation="swiglu")
    return _written(arguments, preprocessing, labels, {"swiglu_mlp": True, "swiglu_align_to": 1})


# The epsilon is no argument: these builders have the one that it is named for, and the rest is told.
PLAIN_EPSILON, LARGE_EPSILON = "eva_giant_patch14_224", "vit_small_patch16_dinov3"


def _written(arguments, preprocessing, labels, mlp_args):
    require(arguments, position_embedding="rotary", rotary_grid_size=None, inner_norm=None)
    require(arguments, stem="linear", norm_first=True, pooling=("token", "gap"))
    require(arguments, epsilon=(1e-6, 1e-5), distillation_token=False, embedding_norm=False, patch_bias=True)
    if arguments["num_classes"]:
        require(arguments, head_bias=True)
    model_args = {
        **mlp_args,
        "attn_type": "rope" if arguments["qkv_bias"] and arguments["key_bias"] else "eva",
        "mlp_ratio": timm.mlp_ratio(arguments["hidden_dim"], arguments["mlp_dim"]),
        "num_reg_tokens": arguments["num_registers"],
        "use_fc_norm": arguments["norm_pooled"],
        "use_abs_pos_emb": False,
        "use_rot_pos_emb": True,
        "rope_type": "dinov3",
        "rope_rotate_half": True,
        "rope_temperature": arguments["rotary_base"],
    }
    architecture = PLAIN_EPSILON if arguments["epsilon"] == 1e-6 else LARGE_EPSILON
    return Writing(
        {"config.json": timm.config_of(arguments, preprocessing, labels, architecture, model_args)}
    )


FAMILY = Family(name="timm DINOv3", table=TABLE, recognises=recognises, read=read, written=written)
SWIGLU_FAMILY = FAMILY._replace(
    name="timm DINOv3 with SwiGLU", table=SWIGLU, recognises=recognises_swiglu, written=written_swiglu
)
