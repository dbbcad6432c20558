"""What the families of the timm library have in common."""

import math

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from keras_vit.pretrained.family import Export, require
from keras_vit.pretrained.layouts import PATCHES, tokens
from keras_vit.pretrained.mapping import Row, linear, norm
from keras_vit.pretrained.tensors import Tensors

BLOCK, THEIRS = "encoder/block_{i}", "blocks.{i}"

# The same in all Vision Transformers of timm.
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
EXPANSION = linear(f"{BLOCK}/mlp/expansion", f"{THEIRS}.mlp.fc1")
GATED_EXPANSION = linear(f"{BLOCK}/mlp/expansion", f"{THEIRS}.mlp.fc1_g", f"{THEIRS}.mlp.fc1_x")
COMMON = {"stem": "linear", "norm_first": True, "epsilon": (1e-6, 1e-5)}  # arguments of models that timm has
# EVA-02 and DINOv3 are timm's `Eva`.
EVA = {
    **COMMON,
    "distillation_token": False,
    "embedding_norm": False,
    "patch_bias": True,
    "pooling": ("token", "gap"),
}
# What the builders of these architectures set; with another value the tensors belong to another graph.
EVA_GRAPH = {
    "rope_grid_offset": 0,
    "rope_grid_indexing": "ij",
    "use_post_norm": False,
    "norm_layer": None,
}

POOLINGS = {"token": "token", "avg": "gap", "map": "map", "": None}


def arguments_of(config, tensors):
    """Returns the arguments of `keras_vit.models.vit` that follow from the tensors of all these models."""
    has = tensors.__contains__
    hidden_dim, channels, *patch_size = tensors.shape("patch_embed.proj.weight")
    return {
        "patch_size": tuple(patch_size),
        "channels": channels,
        "hidden_dim": hidden_dim,
        "num_layers": 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks.")),
        "num_heads": config.get("model_args", {}).get("num_heads") or hidden_dim // 64,
        "mlp_dim": tensors.shape("blocks.0.mlp.fc2.weight")[1],
        "num_classes": tensors.size("head.weight"),
        "class_token": has("cls_token"),
        "num_registers": tensors.size("reg_token", axis=1),
        "patch_bias": has("patch_embed.proj.bias"),
        "qk_norm": has("blocks.0.attn.q_norm.weight"),
        "norm_pooled": has("fc_norm.weight"),
        "head_bias": has("head.bias") or not has("head.weight"),
    }


def image_size_of(grid, patch_size):
    """Returns `(height, width)` in pixels of a grid of patches."""
    return grid[0] * patch_size[0], grid[1] * patch_size[1]


def configured_grid(config, patch_size):
    """Returns the grid of patches of the configured image size, or an empty tuple."""
    size = config.get("model_args", {}).get("img_size") or config.get("pretrained_cfg", {}).get("input_size")
    sides = (size, size) if isinstance(size, int) else tuple(size or ())[-2:]
    return tuple(side // patch for side, patch in zip(sides, patch_size, strict=False))


def grid_of(tensors: Tensors, configured: tuple, counts: tuple[int, ...]) -> tuple:
    """Returns the grid of the table of positions, and how many positions of other tokens precede it.

    The grid is the configured one, `(rows, columns)` or empty, or a square one; `counts` are the possible
    numbers of positions before it.
    """
    length = tensors.shape("pos_embed")[1]
    sides = [math.isqrt(max(length - count, 0)) for count in counts]
    for grid in (configured, *((side, side) for side in sides)):
        if len(grid) == 2 and length - math.prod(grid) in counts:
            return grid, length - math.prod(grid)
    raise InputError(
        f"{tensors.where}: {length} positions, {' or '.join(map(str, counts))} of them for other tokens than "
        "patches, fit neither a square grid nor the configured image size."
    )


def preprocessing_of(config):
    """Reads timm's `pretrained_cfg`, with timm's defaults."""
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


def configured_pooling(config, tensors):
    """Returns the pooling that the configuration names, or None."""
    name = config.get("model_args", {}).get("global_pool", config.get("global_pool"))
    if name is not None and name not in POOLINGS:
        raise InputError(
            f"{tensors.where}: pooling {name!r} is not one of {', '.join(filter(None, POOLINGS))}."
        )
    return POOLINGS.get(name)


def check_graph(config: dict, tensors: Tensors, graph: dict, is_other: bool = False):
    """Refuses a graph that is not the family's though its tensors may have the same names.

    `graph` has the family's arguments of timm's builder; `is_other` is whether the name is of another graph.
    """
    args = config.get("model_args", {})
    changed = [key for key, value in graph.items() if (args.get(key, value) or None) != (value or None)]
    if is_other or changed:
        raise InputError(
            f"{tensors.where}: {config.get('architecture', '')} is another graph than this family's"
            + (f" (it sets {', '.join(changed)})." if changed else ".")
        )


def export(arguments, preprocessing, labels, architecture, added=None, **model_args):
    """Returns the `Export` of an architecture of timm with other arguments of its builder."""
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
        "mlp_ratio": mlp_ratio(arguments["hidden_dim"], arguments["mlp_dim"]),
        **model_args,
    }
    fill = preprocessing.fill
    if preprocessing.crop_mode == "border" and fill is not None and set(preprocessing.mean) != {fill}:
        raise InputError(f"pads with the mean of the pixels, this model with a grey of {fill:g}")
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
    config = {
        "architecture": architecture,
        "num_classes": arguments["num_classes"],
        "num_features": arguments["hidden_dim"],
        "global_pool": args["global_pool"],
        "model_args": args,
        "pretrained_cfg": cfg,
        **({"label_names": list(labels)} if labels else {}),
    }
    return Export({"config.json": config}, added=added or {})


def require_eva(arguments, **expected):
    """Refuses to save a model that timm's `Eva` cannot be."""
    require(arguments, **{**expected, **EVA, **expected})
    if arguments["num_classes"]:
        require(arguments, head_bias=True)


def mlp_ratio(hidden_dim, width):
    """Returns a ratio with `int(hidden_dim * ratio) == width`, as timm computes the width."""
    exact = int(hidden_dim * (width / hidden_dim)) == width
    return (width if exact else width + 0.25) / hidden_dim
