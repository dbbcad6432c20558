"""DINOv3 as timm's `Eva`.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/eva.py
"""

import re

from keras_vit.pretrained.families import timm
from keras_vit.pretrained.family import Family, Reading
from keras_vit.pretrained.mapping import Row, linear

_ATTENTION = f"{timm.THEIRS}.attn"
ROWS = (
    *timm.ROWS,
    *linear(f"{timm.BLOCK}/attention/qkv", f"{_ATTENTION}.qkv"),
    Row(f"{timm.BLOCK}/attention/query_value_bias/bias", (f"{_ATTENTION}.q_bias", f"{_ATTENTION}.v_bias")),
    Row(f"{timm.BLOCK}/attention_scale/gamma", f"{timm.THEIRS}.gamma_1"),
    Row(f"{timm.BLOCK}/mlp_scale/gamma", f"{timm.THEIRS}.gamma_2"),
)
ARCHITECTURES = r"dinov3|lingbot"
GRAPH = {**timm.EVA_GRAPH, "rope_type": "dinov3", "rope_rotate_half": True}
# Epsilon is not an argument of timm's builder: these architectures have the one they are named for here.
SMALL_EPSILON, LARGE_EPSILON = "eva_giant_patch14_224", "vit_small_patch16_dinov3"  # 1e-6, 1e-5


def table(arguments):
    gated = arguments["activation"] == "swiglu"
    return (*ROWS, *(timm.GATED_EXPANSION if gated else timm.EXPANSION))


def accepts(config, names):
    is_dinov3 = config.get("model_args", {}).get("rope_type") == "dinov3"
    is_dinov3 |= bool(re.search(ARCHITECTURES, config.get("architecture", "")))
    alike = {"reg_token", "blocks.0.gamma_1", "blocks.0.gamma_2", "blocks.0.attn.qkv.weight"} <= names
    return is_dinov3 or "architecture" not in config and alike and "pos_embed" not in names


def read(config, tensors):
    architecture, model_args = config.get("architecture", ""), config.get("model_args", {})
    timm.check_graph(config, tensors, GRAPH)
    has = tensors.__contains__
    arguments = timm.arguments_of(config, tensors)
    grid = timm.configured_grid(config, arguments["patch_size"]) or (14, 14)
    pooling = timm.configured_pooling(config, tensors) or ("token" if "lingbot" in architecture else "gap")
    if arguments["hidden_dim"] == 4096 and not model_args.get("num_heads"):
        arguments["num_heads"] = 32
    arguments |= {
        "image_size": timm.image_size_of(grid, arguments["patch_size"]),
        "pooling": pooling,
        "position_embedding": "rotary",
        "rotary_base": float(model_args.get("rope_temperature", 100)),
        "qkv_bias": has("blocks.0.attn.q_bias") or has("blocks.0.attn.qkv.bias"),
        "key_bias": has("blocks.0.attn.qkv.bias"),
        "layer_scale": 1e-5 if has("blocks.0.gamma_1") else None,
        "activation": "swiglu" if has("blocks.0.mlp.fc1_g.weight") else "gelu",
        "epsilon": 1e-6 if architecture == SMALL_EPSILON else 1e-5,
    }
    return Reading(arguments, timm.preprocessing_of(config))


def export(arguments, preprocessing, labels):
    timm.require_eva(
        arguments,
        activation=("gelu", "swiglu"),
        position_embedding="rotary",
        rotary_grid_size=None,
        inner_norm=None,
    )
    gated = arguments["activation"] == "swiglu"
    return timm.export(
        arguments,
        preprocessing,
        labels,
        SMALL_EPSILON if arguments["epsilon"] == 1e-6 else LARGE_EPSILON,
        swiglu_mlp=gated,
        swiglu_align_to=int(gated),
        attn_type="rope" if arguments["qkv_bias"] and arguments["key_bias"] else "eva",
        num_reg_tokens=arguments["num_registers"],
        use_fc_norm=arguments["norm_pooled"],
        use_abs_pos_emb=False,
        use_rot_pos_emb=True,
        rope_type="dinov3",
        rope_rotate_half=True,
        rope_temperature=arguments["rotary_base"],
    )


FAMILY = Family(
    name="timm DINOv3",
    table=table,
    signatures=({"blocks.0.mlp.fc1.weight"}, {"blocks.0.mlp.fc1_g.weight"}),
    accepts=accepts,
    read=read,
    export=export,
)
