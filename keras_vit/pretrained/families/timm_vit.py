"""timm's `VisionTransformer`: ViT (augreg and others), DeiT, DeiT-III, DINO, DINOv2, CLIP and SigLIP towers.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/vision_transformer.py, deit.py
"""

import math
import re

import numpy as np

from keras_vit.errors import InputError
from keras_vit.pretrained.families import timm
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.layouts import tokens
from keras_vit.pretrained.mapping import Row, linear, norm

TABLE = (
    *timm.ROWS,
    Row("distillation_token/tokens", "dist_token", tokens(3)),
    Row("position_embedding/embedding", "pos_embed", tokens(3)),
    *norm("embedding_norm", "norm_pre"),
    *linear(f"{timm.BLOCK}/attention/qkv", f"{timm.THEIRS}.attn.qkv"),
    Row(f"{timm.BLOCK}/attention_scale/gamma", f"{timm.THEIRS}.ls1.gamma"),
    *linear(f"{timm.BLOCK}/mlp/expansion", f"{timm.THEIRS}.mlp.fc1"),
    Row(f"{timm.BLOCK}/mlp_scale/gamma", f"{timm.THEIRS}.ls2.gamma"),
    Row("pooling/probe", "attn_pool.latent", tokens(3)),
    *linear("pooling/query", "attn_pool.q"),
    *linear("pooling/key_value", "attn_pool.kv"),
    *linear("pooling/projection", "attn_pool.proj"),
    *norm("pooling/norm", "attn_pool.norm"),
    *linear("pooling/mlp/expansion", "attn_pool.mlp.fc1"),
    *linear("pooling/mlp/projection", "attn_pool.mlp.fc2"),
    *linear("distillation_head", "head_dist"),
)

# What neither the tensors' shapes nor the stored arguments tell: heads are 64 wide but in these.
HEADS = {1152: 16, 1280: 16, 1408: 16, 1664: 16}
HEADS_BY_NAME = ((r"giantopt", 16), (r"test_vit[34]", 3), (r"test_vit", 2), (r"vit_base_patch16_gap_224", 16))
GELU_TANH = r"patch32_siglip|giantopt|large_patch16_siglip_(gap_)?512|so400m_patch16_siglip"
OTHERS = r"_rpn_|_rope_|_pe_|^eva"  # the same names for another graph: sums normalised, positions rotated
REPLACED = (
    "use_rot_pos_emb",
    "norm_layer",
    "embed_layer",
    "block_fn",
    "attn_layer",
    "mlp_layer",
    "pool_include_prefix",
)


def recognises(config, names):
    return {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "blocks.0.mlp.fc2.weight"} <= set(names)


def read(config, tensors):
    architecture = config.get("architecture", "")
    model_args = config.get("model_args", {})
    replaced = [key for key in REPLACED if model_args.get(key)]
    timm.check_graph(config, tensors, re.search(OTHERS, architecture), replaced)
    has = tensors.__contains__
    preprocessing = timm.preprocessing_of(config)
    arguments = timm.arguments_of(config, tensors, preprocessing)
    patch_size, registers = arguments["patch_size"], arguments["num_registers"]
    hidden_dim, mlp_dim = arguments["hidden_dim"], arguments["mlp_dim"]
    prefix = has("cls_token") + has("dist_token")
    grid, num_embedded = _grid(config, tensors, patch_size, prefix, registers)
    expanded = tensors.shape("blocks.0.mlp.fc1.weight")[0] if has("blocks.0.mlp.fc1.weight") else mlp_dim
    arguments |= {
        "image_size": (grid[0] * patch_size[0], grid[1] * patch_size[1]),
        "num_heads": model_args.get("num_heads") or _num_heads(architecture, hidden_dim),
        "pooling": _pooling(config, tensors),
        "distillation_token": has("dist_token"),
        "position_embedding": "learned" if has("pos_embed") else "none",
        "embed_prefix": num_embedded > 0 or not prefix,
        "embed_registers": registers > 0 and num_embedded == prefix + registers,
        "embedding_norm": has("norm_pre.weight"),
        "qkv_bias": has("blocks.0.attn.qkv.bias"),
        "layer_scale": 1e-5 if has("blocks.0.ls1.gamma") else None,
        "activation": "swiglu" if expanded == 2 * mlp_dim else _activation(architecture, model_args),
        "epsilon": 1e-5 if "_clip_" in architecture else 1e-6,
    }
    return Reading(arguments, preprocessing)


def _grid(config, tensors, patch_size, prefix, registers):
    """The grid of patches, and how many of the tokens before it have positions too."""
    given = timm.given_grid(config, patch_size)
    if "pos_embed" not in tensors:
        return given or (14, 14), 0
    length = tensors.shape("pos_embed")[1]
    choices = (prefix, 0, prefix + registers)
    for grid in (given, *(_square(length - count) for count in choices)):
        if len(grid) == 2 and length - math.prod(grid) in choices:
            return grid, length - math.prod(grid)
    raise InputError(
        f"{tensors.where}: {length} positions, of which {prefix} may be the class token's, fit neither a "
        "square grid nor the configuration's image size."
    )


def _square(length):
    side = math.isqrt(max(length, 0))
    return (side, side) if side * side == length else ()


def _pooling(config, tensors):
    stated = timm.stated_pooling(config, tensors)
    if stated:
        return stated
    if "attn_pool.latent" in tensors:
        return "map"
    return "gap" if "fc_norm.weight" in tensors or "cls_token" not in tensors else "token"


def _num_heads(architecture, hidden_dim):
    for pattern, heads in HEADS_BY_NAME:
        if re.search(pattern, architecture):
            return heads
    return HEADS.get(hidden_dim, hidden_dim // 64)


def _activation(architecture, model_args):
    name = model_args.get("act_layer") or "gelu"
    if "act_layer" not in model_args and "quickgelu" in architecture:
        name = "quick_gelu"
    if "act_layer" not in model_args and re.search(GELU_TANH, architecture):
        name = "gelu_tanh"
    if name not in ("gelu", "gelu_tanh", "quick_gelu"):
        raise InputError(f"The activation {name!r} is not known: expected gelu, gelu_tanh or quick_gelu.")
    return name


def written(arguments, preprocessing, labels):
    require(arguments, stem="linear", norm_first=True, epsilon=(1e-6, 1e-5), pooling=("token", "gap", "map"))
    require(arguments, position_embedding=("learned", "sincos_1d", "sincos_2d", "none"), inner_norm=None)
    if arguments["embedding_norm"]:
        require(arguments, patch_bias=False)
    config = timm.config_of(
        arguments, preprocessing, labels, _architecture(arguments), _model_args(arguments)
    )
    return Writing({"config.json": config}, added=_zero_biases(arguments))


def _architecture(arguments):
    """A name of timm's whose graph the model's arguments can then change."""
    if arguments["distillation_token"]:
        require(arguments, epsilon=1e-6, activation=("gelu", "gelu_tanh", "quick_gelu"))
        return "deit_base_distilled_patch16_224"
    if arguments["activation"] == "swiglu":
        require(arguments, epsilon=1e-6)
        return "vit_giant_patch14_dinov2"
    return "vit_base_patch16_clip_224" if arguments["epsilon"] == 1e-5 else "vit_base_patch16_224"


def _model_args(arguments):
    swiglu = arguments["activation"] == "swiglu"
    args = {
        "mlp_ratio": timm.mlp_ratio(arguments["hidden_dim"], arguments["mlp_dim"] * (2 if swiglu else 1)),
        "no_embed_class": not (arguments["embed_prefix"] and _embeds_all(arguments)),
        "reg_tokens": arguments["num_registers"],
        "pos_embed": "none" if arguments["position_embedding"] == "none" else "learn",
        "pre_norm": arguments["embedding_norm"],
        "fc_norm": arguments["norm_pooled"],
    }
    return args if swiglu else {**args, "act_layer": arguments["activation"]}


def _embeds_all(arguments):
    if arguments["num_registers"] and arguments["class_token"] and not arguments["embed_registers"]:
        require(arguments, embed_prefix=False)
    return not arguments["num_registers"] or arguments["embed_registers"]


def _zero_biases(arguments):
    """timm adds biases where our model has none."""
    added = {}
    if not arguments["patch_bias"] and not arguments["embedding_norm"]:
        added["patch_embed.proj.bias"] = lambda arrays: np.zeros(arguments["hidden_dim"], "float32")
    if arguments["num_classes"] and not arguments["head_bias"]:
        added["head.bias"] = lambda arrays: np.zeros(arguments["num_classes"], "float32")
    return added


FAMILY = Family(name="timm ViT", table=TABLE, recognises=recognises, read=read, written=written)
