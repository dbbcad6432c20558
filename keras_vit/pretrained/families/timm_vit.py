"""timm's `VisionTransformer`: ViT (augreg and others), DeiT, DeiT-III, DINO, DINOv2, CLIP and SigLIP towers.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/vision_transformer.py, deit.py
"""

import math
import re

import numpy as np

from keras_vit.errors import InputError
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.layouts import PATCHES, tokens
from keras_vit.pretrained.mapping import Row, linear, norm
from keras_vit.pretrained.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

_BLOCK, _THEIRS = "encoder/block_{i}", "blocks.{i}"

TABLE = (
    Row("patch_embedding/projection/kernel", "patch_embed.proj.weight", PATCHES),
    Row("patch_embedding/projection/bias", "patch_embed.proj.bias"),
    Row("class_token/token", "cls_token", tokens(3)),
    Row("distillation_token/tokens", "dist_token", tokens(3)),
    Row("registers/tokens", "reg_token", tokens(3)),
    Row("position_embedding/embedding", "pos_embed", tokens(3)),
    *norm("embedding_norm", "norm_pre"),
    *norm(f"{_BLOCK}/attention_norm", f"{_THEIRS}.norm1"),
    *linear(f"{_BLOCK}/attention/qkv", f"{_THEIRS}.attn.qkv"),
    *norm(f"{_BLOCK}/attention/query_norm", f"{_THEIRS}.attn.q_norm"),
    *norm(f"{_BLOCK}/attention/key_norm", f"{_THEIRS}.attn.k_norm"),
    *linear(f"{_BLOCK}/attention/projection", f"{_THEIRS}.attn.proj"),
    Row(f"{_BLOCK}/attention_scale/gamma", f"{_THEIRS}.ls1.gamma"),
    *norm(f"{_BLOCK}/mlp_norm", f"{_THEIRS}.norm2"),
    *linear(f"{_BLOCK}/mlp/expansion", f"{_THEIRS}.mlp.fc1"),
    *linear(f"{_BLOCK}/mlp/projection", f"{_THEIRS}.mlp.fc2"),
    Row(f"{_BLOCK}/mlp_scale/gamma", f"{_THEIRS}.ls2.gamma"),
    *norm("encoder/norm", "norm"),
    *norm("pooled_norm", "fc_norm"),
    Row("pooling/probe", "attn_pool.latent", tokens(3)),
    *linear("pooling/query", "attn_pool.q"),
    *linear("pooling/key_value", "attn_pool.kv"),
    *linear("pooling/projection", "attn_pool.proj"),
    *norm("pooling/norm", "attn_pool.norm"),
    *linear("pooling/mlp/expansion", "attn_pool.mlp.fc1"),
    *linear("pooling/mlp/projection", "attn_pool.mlp.fc2"),
    *linear("head", "head"),
    *linear("distillation_head", "head_dist"),
)

POOLINGS = {"token": "token", "avg": "gap", "map": "map", "": None}
# What neither the tensors' shapes nor the stored arguments tell: heads are 64 wide but in these.
HEADS = {1152: 16, 1280: 16, 1408: 16, 1664: 16}
HEADS_BY_NAME = ((r"giantopt", 16), (r"test_vit[34]", 3), (r"test_vit", 2), (r"vit_base_patch16_gap_224", 16))
GELU_TANH = r"patch32_siglip|giantopt|large_patch16_siglip_(gap_)?512|so400m_patch16_siglip"
SUMS_NORMALISED = r"_rpn_"  # the same names for another graph
REPLACED = ("norm_layer", "embed_layer", "block_fn", "attn_layer", "mlp_layer", "pool_include_prefix")


def recognises(config, names):
    return {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "blocks.0.mlp.fc2.weight"} <= set(names)


def read(config, tensors):
    architecture = config.get("architecture", "")
    model_args = config.get("model_args", {})
    _check_graph(architecture, model_args, tensors)
    has = tensors.__contains__
    hidden_dim, channels, *patch_size = tensors.shape("patch_embed.proj.weight")
    preprocessing = preprocessing_of(config)
    prefix = has("cls_token") + has("dist_token")
    registers = tensors.shape("reg_token")[1] if has("reg_token") else 0
    grid, num_embedded = _grid(config, tensors, patch_size, prefix, registers)
    mlp_dim = tensors.shape("blocks.0.mlp.fc2.weight")[1]
    expanded = tensors.shape("blocks.0.mlp.fc1.weight")[0] if has("blocks.0.mlp.fc1.weight") else mlp_dim
    arguments = {
        "image_size": (grid[0] * patch_size[0], grid[1] * patch_size[1]),
        "patch_size": tuple(patch_size),
        "channels": channels,
        "hidden_dim": hidden_dim,
        "num_layers": 1 + max(int(n.split(".")[1]) for n in tensors.names() if n.startswith("blocks.")),
        "num_heads": model_args.get("num_heads") or _num_heads(architecture, hidden_dim),
        "mlp_dim": mlp_dim,
        "num_classes": tensors.shape("head.weight")[0] if has("head.weight") else 0,
        "pooling": _pooling(config, tensors),
        "class_token": has("cls_token"),
        "distillation_token": has("dist_token"),
        "num_registers": registers,
        "position_embedding": "learned" if has("pos_embed") else "none",
        "embed_prefix": num_embedded > 0 or not prefix,
        "embed_registers": registers > 0 and num_embedded == prefix + registers,
        "patch_bias": has("patch_embed.proj.bias"),
        "embedding_norm": has("norm_pre.weight"),
        "qk_norm": has("blocks.0.attn.q_norm.weight"),
        "qkv_bias": has("blocks.0.attn.qkv.bias"),
        "layer_scale": 1e-5 if has("blocks.0.ls1.gamma") else None,
        "activation": "swiglu" if expanded == 2 * mlp_dim else _activation(architecture, model_args),
        "epsilon": 1e-5 if "_clip_" in architecture else 1e-6,
        "norm_pooled": has("fc_norm.weight"),
        "head_bias": has("head.bias"),
        "pixel_mean": preprocessing.mean,
        "pixel_std": preprocessing.std,
    }
    return Reading(arguments, preprocessing)


def _check_graph(architecture, model_args, tensors):
    replaced = [key for key in REPLACED if model_args.get(key)]
    if replaced or re.search(SUMS_NORMALISED, architecture):
        raise InputError(
            f"{tensors.where}: {architecture} is another graph than a Vision Transformer's"
            + (f" (it sets {', '.join(replaced)})." if replaced else ".")
        )


def preprocessing_of(config):
    """Reads timm's `pretrained_cfg`, whose defaults are timm's too."""
    stored = config.get("pretrained_cfg", config if "mean" in config else None)
    if stored is None:
        return Preprocessing()
    return Preprocessing(
        image_size=tuple(stored.get("input_size", (3, 224, 224))[1:]),
        crop_ratio=stored.get("crop_pct", 0.875),
        crop_mode=stored.get("crop_mode", "center"),
        interpolation=stored.get("interpolation", "bicubic"),
        mean=tuple(stored.get("mean", IMAGENET_MEAN)),
        std=tuple(stored.get("std", IMAGENET_STD)),
    )


def _grid(config, tensors, patch_size, prefix, registers):
    """The grid of patches, and how many of the tokens before it have positions too."""
    size = config.get("model_args", {}).get("img_size") or config.get("pretrained_cfg", {}).get("input_size")
    sides = (size, size) if isinstance(size, int) else tuple(size or ())[-2:]
    given = tuple(side // patch for side, patch in zip(sides, patch_size, strict=False))
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
    name = config.get("model_args", {}).get("global_pool", config.get("global_pool"))
    if name is not None and name not in POOLINGS:
        raise InputError(
            f"{tensors.where}: pooling {name!r} is not one of {', '.join(filter(None, POOLINGS))}."
        )
    if name:
        return POOLINGS[name]
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
    if arguments["embedding_norm"]:
        require(arguments, patch_bias=False)
    architecture, args = _architecture(arguments), _model_args(arguments)
    cfg = {
        "input_size": [arguments["channels"], *preprocessing.image_size],
        "fixed_input_size": True,
        "interpolation": preprocessing.interpolation,
        "crop_pct": preprocessing.crop_ratio,
        "crop_mode": preprocessing.crop_mode,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "num_classes": arguments["num_classes"],
        "pool_size": None,
        "first_conv": "patch_embed.proj",
        "classifier": ["head", "head_dist"] if arguments["distillation_token"] else "head",
    }
    config = {
        "architecture": architecture,
        "num_classes": arguments["num_classes"],
        "num_features": arguments["hidden_dim"],
        "global_pool": args["global_pool"],
        "model_args": args,
        "pretrained_cfg": cfg,
        **({"label_names": list(labels)} if labels else {}),
    }
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
    pooling, swiglu = arguments["pooling"], arguments["activation"] == "swiglu"
    hidden_dim = arguments["hidden_dim"]
    width = arguments["mlp_dim"] * (2 if swiglu else 1)
    # timm rounds hidden_dim * mlp_ratio down: a quarter more lands on the number that is meant.
    exact = int(hidden_dim * (width / hidden_dim)) == width
    args = {
        "img_size": list(arguments["image_size"]),
        "patch_size": list(arguments["patch_size"]),
        "in_chans": arguments["channels"],
        "num_classes": arguments["num_classes"],
        "global_pool": {"token": "token", "gap": "avg", "map": "map"}[pooling],
        "embed_dim": hidden_dim,
        "depth": arguments["num_layers"],
        "num_heads": arguments["num_heads"],
        "mlp_ratio": (width if exact else width + 0.25) / hidden_dim,
        "qkv_bias": arguments["qkv_bias"],
        "qk_norm": arguments["qk_norm"],
        "init_values": arguments["layer_scale"],
        "class_token": arguments["class_token"],
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
