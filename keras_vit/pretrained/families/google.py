"""Google's `.npz` files: augreg (vision_transformer) and big_vision.

Reference: https://github.com/google-research/vision_transformer, vit_jax/models_vit.py;
https://github.com/google-research/big_vision, big_vision/models/vit.py
"""

import math

from keras_vit.errors import InputError
from keras_vit.pretrained.families.huggingface import BLOCK, without
from keras_vit.pretrained.family import Family, Reading
from keras_vit.pretrained.layouts import FLATTENED, PLAIN, tokens
from keras_vit.pretrained.mapping import Row
from keras_vit.pretrained.preprocessing import Preprocessing

_THEIRS = "Transformer/encoderblock_{i}"
_PARTS = ("query", "key", "value")


def _dense(ours, theirs, layout=PLAIN):
    return Row(f"{ours}/kernel", f"{theirs}/kernel", layout), Row(f"{ours}/bias", f"{theirs}/bias", layout)


def _norm(ours, theirs):
    return Row(f"{ours}/gamma", f"{theirs}/scale"), Row(f"{ours}/beta", f"{theirs}/bias")


def _table(attention, second_norm, mlp, positions):
    """The two repositories number the modules of a block differently."""
    heads, mlp = f"{_THEIRS}/MultiHeadDotProductAttention_{attention}", f"{_THEIRS}/MlpBlock_{mlp}"
    return (
        *_dense("patch_embedding/projection", "embedding", FLATTENED),
        Row("class_token/token", "cls", tokens(3)),
        Row("position_embedding/embedding", positions, tokens(3)),
        *_norm(f"{BLOCK}/attention_norm", f"{_THEIRS}/LayerNorm_0"),
        Row(f"{BLOCK}/attention/qkv/kernel", tuple(f"{heads}/{p}/kernel" for p in _PARTS), FLATTENED),
        Row(f"{BLOCK}/attention/qkv/bias", tuple(f"{heads}/{p}/bias" for p in _PARTS), FLATTENED),
        *_dense(f"{BLOCK}/attention/projection", f"{heads}/out", FLATTENED),
        *_norm(f"{BLOCK}/mlp_norm", f"{_THEIRS}/LayerNorm_{second_norm}"),
        *_dense(f"{BLOCK}/mlp/expansion", f"{mlp}/Dense_0"),
        *_dense(f"{BLOCK}/mlp/projection", f"{mlp}/Dense_1"),
        *_norm("encoder/norm", "Transformer/encoder_norm"),
        *_dense("head", "head"),
        *_map_head("MAPHead_0"),
    )


def _map_head(theirs):
    heads = f"{theirs}/MultiHeadDotProductAttention_0"
    return (
        Row("pooling/probe", f"{theirs}/probe", tokens(3)),
        *_dense("pooling/query", f"{heads}/query", FLATTENED),
        Row("pooling/key_value/kernel", (f"{heads}/key/kernel", f"{heads}/value/kernel"), FLATTENED),
        Row("pooling/key_value/bias", (f"{heads}/key/bias", f"{heads}/value/bias"), FLATTENED),
        *_dense("pooling/projection", f"{heads}/out", FLATTENED),
        *_norm("pooling/norm", f"{theirs}/LayerNorm_0"),
        *_dense("pooling/mlp/expansion", f"{theirs}/MlpBlock_0/Dense_0"),
        *_dense("pooling/mlp/projection", f"{theirs}/MlpBlock_0/Dense_1"),
    )


AUGREG = _table(attention=1, second_norm=2, mlp=3, positions="Transformer/posembed_input/pos_embedding")
BIG_VISION = _table(attention=0, second_norm=1, mlp=0, positions="pos_embedding")


def recognises(config, names):
    return "embedding/kernel" in names and "Transformer/posembed_input/pos_embedding" in names


def recognises_big_vision(config, names):
    return {"embedding/kernel", "pos_embedding"} <= set(names)


def read(config, tensors):
    return _read(tensors, "Transformer/posembed_input/pos_embedding", f"{_THEIRS}/MlpBlock_3", 1)


def read_big_vision(config, tensors):
    return _read(tensors, "pos_embedding", f"{_THEIRS}/MlpBlock_0", 0)


def _read(tensors, positions, mlp, attention):
    patch_height, patch_width, channels, hidden_dim = tensors.shape("embedding/kernel")
    length, has_token = tensors.shape(positions)[1], "cls" in tensors
    query = f"Transformer/encoderblock_0/MultiHeadDotProductAttention_{attention}/query/kernel"
    prefix = length - math.isqrt(length) ** 2
    side = math.isqrt(length - prefix)
    if prefix > has_token:
        raise InputError(f"{tensors.where}: {length} positions are no square grid of patches.")
    blocks = [n for n in tensors.names() if n.startswith("Transformer/encoderblock_")]
    preprocessing = Preprocessing(image_size=(side * patch_height, side * patch_width))
    return Reading(
        {
            "image_size": preprocessing.image_size,
            "patch_size": (patch_height, patch_width),
            "channels": channels,
            "hidden_dim": hidden_dim,
            "num_layers": 1 + max((int(n.split("/")[1].split("_")[1]) for n in blocks), default=0),
            "num_heads": tensors.shape(query)[1],
            "mlp_dim": tensors.shape(f"{mlp.format(i=0)}/Dense_0/kernel")[1],
            "num_classes": tensors.shape("head/kernel")[1] if "head/kernel" in tensors else 0,
            "pooling": "map" if "MAPHead_0/probe" in tensors else "token" if has_token else "gap",
            "embed_prefix": prefix > 0 or not has_token,
            "pixel_mean": preprocessing.mean,
            "pixel_std": preprocessing.std,
        },
        preprocessing,
        "bilinear",
    )


FAMILY = Family(
    name="Google augreg",
    table=AUGREG,
    recognises=recognises,
    read=read,
    rename=without("opt/target/", "params/img/", "params/"),
    unused=(r"^pre_logits/", r"^params/t(xt)?/", r"^params/[tb]$"),
    format=None,
)
BIG_VISION_FAMILY = FAMILY._replace(
    name="Google big_vision", table=BIG_VISION, recognises=recognises_big_vision, read=read_big_vision
)
