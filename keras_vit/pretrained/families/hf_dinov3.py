"""DINOv3 in transformers.

Reference: https://github.com/huggingface/transformers, models/dinov3_vit/modeling_dinov3_vit.py
"""

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, require
from keras_vit.pretrained.layouts import PATCHES, tokens
from keras_vit.pretrained.mapping import Row, linear, norm

_THEIRS = "layer.{i}"
_PARTS = tuple(f"{_THEIRS}.attention.{part}_proj" for part in "qkv")
ROWS = (
    Row("patch_embedding/projection/kernel", "embeddings.patch_embeddings.weight", PATCHES),
    Row("patch_embedding/projection/bias", "embeddings.patch_embeddings.bias"),
    Row("class_token/token", "embeddings.cls_token", tokens(3)),
    Row("registers/tokens", "embeddings.register_tokens", tokens(3)),
    *norm(f"{hf.BLOCK}/attention_norm", f"{_THEIRS}.norm1"),
    *linear(f"{hf.BLOCK}/attention/qkv", *_PARTS),
    Row(f"{hf.BLOCK}/attention/query_value_bias/bias", (f"{_PARTS[0]}.bias", f"{_PARTS[2]}.bias")),
    *linear(f"{hf.BLOCK}/attention/projection", f"{_THEIRS}.attention.o_proj"),
    Row(f"{hf.BLOCK}/attention_scale/gamma", f"{_THEIRS}.layer_scale1.lambda1"),
    *norm(f"{hf.BLOCK}/mlp_norm", f"{_THEIRS}.norm2"),
    *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.mlp.down_proj"),
    Row(f"{hf.BLOCK}/mlp_scale/gamma", f"{_THEIRS}.layer_scale2.lambda1"),
    *norm("encoder/norm", "norm"),
)
REQUIRED = {
    **hf.COMMON,
    "position_embedding": "rotary",
    "rotary_grid_size": None,
    "class_token": True,
    "distillation_token": False,
    "patch_bias": True,
    "embedding_norm": False,
    "pooling": "token",
    "num_classes": 0,
}
_DEFAULT = Preprocessing(
    crop_mode="squash", interpolation="bilinear", mean=IMAGENET_MEAN, std=IMAGENET_STD, rounded=False
)
_CONFIG = {
    "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 6, "layer_norm_eps": 1e-5,
}  # fmt: skip


def table(arguments):
    # Where an MLP is gated, gate and value are two layers.
    parts = ("gate_proj", "up_proj") if arguments["activation"] == "swiglu" else ("up_proj",)
    return (*ROWS, *linear(f"{hf.BLOCK}/mlp/expansion", *(f"{_THEIRS}.mlp.{part}" for part in parts)))


def read(config, tensors):
    preprocessing = hf.preprocessing_of(config, _DEFAULT)
    config = {**_CONFIG, **config}
    gated = "layer.0.mlp.gate_proj.weight" in tensors
    if gated and config.get("hidden_act") != "silu":
        raise InputError(
            f"{tensors.where}: the activation of a gated MLP is {config.get('hidden_act')!r}: expected silu."
        )
    if gated:
        del config["hidden_act"]
    arguments = hf.arguments_of(config, tensors)
    arguments |= {
        "num_classes": 0,
        "num_registers": tensors.size("embeddings.register_tokens", axis=1),
        "position_embedding": "rotary",
        "rotary_base": float(config.get("rope_theta", 100)),
        "layer_scale": config.get("layerscale_value", 1.0),
        "qkv_bias": "layer.0.attention.q_proj.bias" in tensors,
        "key_bias": "layer.0.attention.k_proj.bias" in tensors,
        "activation": "swiglu" if gated else arguments["activation"],
    }
    return Reading(arguments, preprocessing)


def export(arguments, preprocessing, labels):
    require(arguments, **REQUIRED)
    if arguments["layer_scale"] is None:
        raise InputError("needs layer_scale, received None")
    gated, registers = arguments["activation"] == "swiglu", arguments["num_registers"]
    # transformers expects a mask, which only pre-training uses, and registers, whose number may be 0.
    counts = {"mask_token": 1} | ({} if registers else {"register_tokens": 0})
    zeros = {name: np.zeros((1, count, arguments["hidden_dim"]), "float32") for name, count in counts.items()}
    return hf.export(
        arguments,
        preprocessing,
        "dinov3_vit",
        "DINOv3ViTModel",
        "DINOv3ViT",
        added={f"embeddings.{name}": array for name, array in zeros.items()},
        use_gated_mlp=gated,
        **({"hidden_act": "silu"} if gated else {}),
        num_register_tokens=registers,
        rope_theta=arguments["rotary_base"],
        layerscale_value=1.0,
        query_bias=arguments["qkv_bias"],
        key_bias=arguments["qkv_bias"] and arguments["key_bias"],
        value_bias=arguments["qkv_bias"],
    )


FAMILY = Family(
    name="Hugging Face DINOv3",
    table=table,
    signatures=({"layer.0.attention.q_proj.weight", "layer.0.mlp.up_proj.weight"},),
    read=read,
    export=export,
    prefixes=("model.",),
    unused=(r"mask_token$", r"register_tokens$"),
    format="huggingface",
)
