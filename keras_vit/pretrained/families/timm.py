"""What the families of the timm library have in common."""

import math

from keras_vit.errors import InputError
from keras_vit.pretrained.layouts import PATCHES, tokens
from keras_vit.pretrained.mapping import Row, linear, norm
from keras_vit.pretrained.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

BLOCK, THEIRS = "encoder/block_{i}", "blocks.{i}"

# All of timm's Vision Transformers call these alike.
ROWS = (
    Row("patch_embedding/projection/kernel", "patch_embed.proj.weight", PATCHES),
    Row("patch_embedding/projection/bias", "patch_embed.proj.bias"),
    Row("class_token/token", "cls_token", tokens(3)),
    Row("registers/tokens", "reg_token", tokens(3)),
    *norm(f"{BLOCK}/attention_norm", f"{THEIRS}.norm1"),
    *norm(f"{BLOCK}/attention/query_norm", f"{THEIRS}.attn.q_norm"),
    *norm(f"{BLOCK}/attention/key_norm", f"{THEIRS}.attn.k_norm"),
    *linear(f"{BLOCK}/attention/projection", f"{THEIRS}.attn.proj"),
    *norm(f"{BLOCK}/mlp_norm", f"{THEIRS}.norm2"),
    *linear(f"{BLOCK}/mlp/projection", f"{THEIRS}.mlp.fc2"),
    *norm("encoder/norm", "norm"),
    *norm("pooled_norm", "fc_norm"),
    *linear("head", "head"),
)

POOLINGS = {"token": "token", "avg": "gap", "map": "map", "": None}


def arguments_of(config, tensors, preprocessing):
    """The arguments of `keras_vit.models.vit` that all these models' tensors tell alike."""
    has = tensors.__contains__
    hidden_dim, channels, *patch_size = tensors.shape("patch_embed.proj.weight")
    return {
        "patch_size": tuple(patch_size),
        "channels": channels,
        "hidden_dim": hidden_dim,
        "num_layers": 1 + max(int(n.split(".")[1]) for n in tensors.names() if n.startswith("blocks.")),
        "mlp_dim": tensors.shape("blocks.0.mlp.fc2.weight")[1],
        "num_classes": tensors.shape("head.weight")[0] if has("head.weight") else 0,
        "class_token": has("cls_token"),
        "num_registers": tensors.shape("reg_token")[1] if has("reg_token") else 0,
        "patch_bias": has("patch_embed.proj.bias"),
        "qk_norm": has("blocks.0.attn.q_norm.weight"),
        "norm_pooled": has("fc_norm.weight"),
        "head_bias": has("head.bias") or not has("head.weight"),
        "pixel_mean": preprocessing.mean,
        "pixel_std": preprocessing.std,
    }


def given_grid(config, patch_size):
    """The grid of patches that the configuration's image size makes; an empty tuple where it has none."""
    size = config.get("model_args", {}).get("img_size") or config.get("pretrained_cfg", {}).get("input_size")
    sides = (size, size) if isinstance(size, int) else tuple(size or ())[-2:]
    return tuple(side // patch for side, patch in zip(sides, patch_size, strict=False))


def grid_of(length, given):
    """The given grid, or a square one, if it has so many patches; else an empty tuple."""
    side = math.isqrt(max(length, 0))
    return next((grid for grid in (given, (side, side)) if grid and math.prod(grid) == length), ())


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


def stated_pooling(config, tensors):
    """The pooling that the configuration names, or None."""
    name = config.get("model_args", {}).get("global_pool", config.get("global_pool"))
    if name is not None and name not in POOLINGS:
        raise InputError(
            f"{tensors.where}: pooling {name!r} is not one of {', '.join(filter(None, POOLINGS))}."
        )
    return POOLINGS.get(name)


def check_graph(config, tensors, another, replaced):
    """Refuses a graph that is not the family's though its tensors may have the same names.

    Args:
        config: dict, timm's configuration.
        tensors: `Tensors`.
        another: bool, whether the architecture is known to be of another graph.
        replaced: list of str, the arguments of the model that make it another.

    Raises:
        InputError: it is.
    """
    if another or replaced:
        raise InputError(
            f"{tensors.where}: {config.get('architecture', '')} is another graph than this family's"
            + (f" (it sets {', '.join(replaced)})." if replaced else ".")
        )


def config_of(arguments, preprocessing, labels, architecture, model_args):
    """The config.json of a model: a name of timm's and what its builder is told otherwise."""
    args = {
        "img_size": list(arguments["image_size"]),
        "patch_size": list(arguments["patch_size"]),
        "in_chans": arguments["channels"],
        "num_classes": arguments["num_classes"],
        "global_pool": {"token": "token", "gap": "avg", "map": "map"}[arguments["pooling"]],
        "embed_dim": arguments["hidden_dim"],
        "depth": arguments["num_layers"],
        "num_heads": arguments["num_heads"],
        "qkv_bias": arguments["qkv_bias"],
        "qk_norm": arguments["qk_norm"],
        "init_values": arguments["layer_scale"],
        "class_token": arguments["class_token"],
        **model_args,
    }
    cfg = {
        "input_size": [arguments["channels"], *preprocessing.image_size],
        "fixed_input_size": True,
        "interpolation": preprocessing.interpolation,
        "crop_pct": preprocessing.crop_ratio,
        "crop_mode": preprocessing.crop_mode.replace("shortest_edge", "center"),
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "num_classes": arguments["num_classes"],
        "pool_size": None,
        "first_conv": "patch_embed.proj",
        "classifier": ["head", "head_dist"] if arguments["distillation_token"] else "head",
    }
    return {
        "architecture": architecture,
        "num_classes": arguments["num_classes"],
        "num_features": arguments["hidden_dim"],
        "global_pool": args["global_pool"],
        "model_args": args,
        "pretrained_cfg": cfg,
        **({"label_names": list(labels)} if labels else {}),
    }


def mlp_ratio(hidden_dim, width):
    """The ratio that leads back to this width: timm rounds `hidden_dim * mlp_ratio` down."""
    exact = int(hidden_dim * (width / hidden_dim)) == width
    return (width if exact else width + 0.25) / hidden_dim
