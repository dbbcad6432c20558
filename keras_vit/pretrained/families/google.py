"""Google's `.npz` files: augreg (vision_transformer) and big_vision.

Reference: https://github.com/google-research/vision_transformer, vit_jax/models_vit.py;
https://github.com/google-research/big_vision, big_vision/models/vit.py
"""

import functools
import math

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.pretrained.families.huggingface import BLOCK
from keras_vit.pretrained.family import Family, Reading
from keras_vit.pretrained.layouts import FLATTENED, PLAIN, tokens
from keras_vit.pretrained.mapping import Row

_THEIRS = "Transformer/encoderblock_{i}"


def _dense(ours, *theirs, layout=PLAIN):
    parts = ("kernel", "bias")
    return tuple(Row(f"{ours}/{p}", tuple(f"{name}/{p}" for name in theirs), layout) for p in parts)


def _norm(ours, theirs):
    return Row(f"{ours}/gamma", f"{theirs}/scale"), Row(f"{ours}/beta", f"{theirs}/bias")


def _table(positions, attention, second_norm, mlp):
    """Returns the rows; the arguments are module names that differ between the two repositories."""
    heads, mlp = f"{_THEIRS}/{attention}", f"{_THEIRS}/{mlp}"
    pooling, pool_heads = "MAPHead_0", "MAPHead_0/MultiHeadDotProductAttention_0"
    qkv = (f"{heads}/{part}" for part in ("query", "key", "value"))
    return (
        *_dense("patch_embedding/projection", "embedding", layout=FLATTENED),
        Row("class_token/token", "cls", tokens(3)),
        Row("position_embedding/embedding", positions, tokens(3)),
        *_norm(f"{BLOCK}/attention_norm", f"{_THEIRS}/LayerNorm_0"),
        *_dense(f"{BLOCK}/attention/qkv", *qkv, layout=FLATTENED),
        *_dense(f"{BLOCK}/attention/projection", f"{heads}/out", layout=FLATTENED),
        *_norm(f"{BLOCK}/mlp_norm", f"{_THEIRS}/{second_norm}"),
        *_dense(f"{BLOCK}/mlp/expansion", f"{mlp}/Dense_0"),
        *_dense(f"{BLOCK}/mlp/projection", f"{mlp}/Dense_1"),
        *_norm("encoder/norm", "Transformer/encoder_norm"),
        *_dense("head", "head"),
        Row("pooling/probe", f"{pooling}/probe", tokens(3)),
        *_dense("pooling/query", f"{pool_heads}/query", layout=FLATTENED),
        *_dense("pooling/key_value", f"{pool_heads}/key", f"{pool_heads}/value", layout=FLATTENED),
        *_dense("pooling/projection", f"{pool_heads}/out", layout=FLATTENED),
        *_norm("pooling/norm", f"{pooling}/LayerNorm_0"),
        *_dense("pooling/mlp/expansion", f"{pooling}/MlpBlock_0/Dense_0"),
        *_dense("pooling/mlp/projection", f"{pooling}/MlpBlock_0/Dense_1"),
    )


def _read(config, tensors, positions, attention, mlp):
    patch_height, patch_width, channels, hidden_dim = tensors.shape("embedding/kernel")
    length, has_token = tensors.shape(positions)[1], "cls" in tensors
    block = "Transformer/encoderblock_0"
    prefix = length - math.isqrt(length) ** 2
    side = math.isqrt(length - prefix)
    if prefix > has_token:
        raise InputError(f"{tensors.where}: {length} positions are not a square grid of patches.")
    blocks = [name for name in tensors if name.startswith("Transformer/encoderblock_")]
    preprocessing = Preprocessing(image_size=(side * patch_height, side * patch_width))
    return Reading(
        {
            "image_size": preprocessing.image_size,
            "patch_size": (patch_height, patch_width),
            "channels": channels,
            "hidden_dim": hidden_dim,
            "num_layers": 1 + max((int(n.split("/")[1].split("_")[1]) for n in blocks), default=0),
            "num_heads": tensors.shape(f"{block}/{attention}/query/kernel")[1],
            "mlp_dim": tensors.shape(f"{block}/{mlp}/Dense_0/kernel")[1],
            "num_classes": tensors.size("head/kernel", axis=1),
            "pooling": "map" if "MAPHead_0/probe" in tensors else "token" if has_token else "gap",
            "embed_prefix": prefix > 0 or not has_token,
        },
        preprocessing,
        "bilinear",
    )


def _family(name, positions, attention, second_norm, mlp):
    rows = _table(positions, attention, second_norm, mlp)
    return Family(
        name,
        table=lambda arguments: rows,
        signatures=({"embedding/kernel", positions},),
        read=functools.partial(_read, positions=positions, attention=attention, mlp=mlp),
        prefixes=("opt/target/", "params/img/", "params/"),
        unused=(r"^pre_logits/", r"^params/t(xt)?/", r"^params/[tb]$"),
        format=None,
    )


FAMILY = _family(
    "Google augreg",
    positions="Transformer/posembed_input/pos_embedding",
    attention="MultiHeadDotProductAttention_1",
    second_norm="LayerNorm_2",
    mlp="MlpBlock_3",
)
BIG_VISION_FAMILY = _family(
    "Google big_vision",
    positions="pos_embedding",
    attention="MultiHeadDotProductAttention_0",
    second_norm="LayerNorm_1",
    mlp="MlpBlock_0",
)
