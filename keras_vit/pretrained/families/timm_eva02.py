"""timm's `Eva` as EVA-02 has it.

It turns neighbouring channels of a head, ours one of each half: the channels of heads are put in that order,
those of the values too, which the projection then takes in the same order.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/eva.py
"""

from keras_vit.errors import InputError
from keras_vit.pretrained.families import timm
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.layouts import KERNEL, PLAIN, in_pairs, tokens
from keras_vit.pretrained.mapping import Row, linear, norm

_OURS, _THEIRS = f"{timm.BLOCK}/attention", f"{timm.THEIRS}.attn"
_PARTS = tuple(f"{_THEIRS}.{part}_proj" for part in "qkv")

_ROWS = (
    *(row for row in timm.ROWS if row.ours != f"{_OURS}/projection/kernel"),
    Row("position_embedding/embedding", "pos_embed", tokens(3)),
    Row(f"{_OURS}/projection/kernel", f"{_THEIRS}.proj.weight", in_pairs(KERNEL, axis=1)),
)
TABLE = (
    *_ROWS,
    Row(f"{_OURS}/qkv/kernel", f"{_THEIRS}.qkv.weight", in_pairs(KERNEL)),
    Row(f"{_OURS}/query_value_bias/bias", (f"{_THEIRS}.q_bias", f"{_THEIRS}.v_bias"), in_pairs(PLAIN)),
    *linear(f"{timm.BLOCK}/mlp/expansion", f"{timm.THEIRS}.mlp.fc1"),
)
# The larger ones have a layer for each part, and norms inside.
LARGE = (
    *_ROWS,
    Row(f"{_OURS}/qkv/kernel", tuple(f"{part}.weight" for part in _PARTS), in_pairs(KERNEL)),
    Row(f"{_OURS}/query_value_bias/bias", (f"{_PARTS[0]}.bias", f"{_PARTS[2]}.bias"), in_pairs(PLAIN)),
    Row(f"{_OURS}/norm/gamma", f"{_THEIRS}.norm.weight", in_pairs(PLAIN)),
    Row(f"{_OURS}/norm/beta", f"{_THEIRS}.norm.bias", in_pairs(PLAIN)),
    *linear(f"{timm.BLOCK}/mlp/expansion", f"{timm.THEIRS}.mlp.fc1_g", f"{timm.THEIRS}.mlp.fc1_x"),
    *norm(f"{timm.BLOCK}/mlp/norm", f"{timm.THEIRS}.mlp.norm"),
)

# What the builder of such an architecture has; with another value it is another graph under these names.
GRAPH = {
    "use_rot_pos_emb": True,
    "rope_type": "cat",
    "rope_rotate_half": False,
    "rope_grid_offset": 0,
    "rope_grid_indexing": "ij",
    "use_post_norm": False,
    "no_embed_class": False,
    "norm_layer": None,
}
REFERENCE_GRID = (16, 16)  # of all that are published


def recognises(config, names):
    return _is_eva02(config) and {"blocks.0.attn.qkv.weight", "pos_embed"} <= set(names)


def recognises_large(config, names):
    return _is_eva02(config) and {"blocks.0.attn.q_proj.weight", "blocks.0.mlp.norm.weight"} <= set(names)


def _is_eva02(config):
    architecture = config.get("architecture", "")
    return architecture.startswith("eva02_") and "enormous" not in architecture


def read(config, tensors):
    model_args = config.get("model_args", {})
    replaced = [key for key, value in GRAPH.items() if model_args.get(key, value) != value]
    timm.check_graph(config, tensors, False, replaced)
    has = tensors.__contains__
    preprocessing = timm.preprocessing_of(config)
    arguments = timm.arguments_of(config, tensors, preprocessing)
    patch_size, hidden_dim = arguments["patch_size"], arguments["hidden_dim"]
    rows, columns = _grid(config, tensors, patch_size)
    reference = model_args.get("ref_feat_shape") or REFERENCE_GRID
    arguments |= {
        "image_size": (rows * patch_size[0], columns * patch_size[1]),
        "num_heads": model_args.get("num_heads") or hidden_dim // 64,
        "pooling": timm.stated_pooling(config, tensors) or ("gap" if has("fc_norm.weight") else "token"),
        "position_embedding": "learned_rotary",
        "rotary_base": float(model_args.get("rope_temperature", 10_000)),
        "rotary_grid_size": (reference, reference) if isinstance(reference, int) else tuple(reference),
        "qkv_bias": has("blocks.0.attn.q_bias") or has("blocks.0.attn.q_proj.bias"),
        "key_bias": False,
        "activation": "swiglu",
        "inner_norm": _inner_norm(tensors),
        "epsilon": 1e-6,
    }
    return Reading(arguments, preprocessing)


def _grid(config, tensors, patch_size):
    length = tensors.shape("pos_embed")[1] - ("cls_token" in tensors)
    grid = timm.grid_of(length, timm.given_grid(config, patch_size))
    if not grid:
        raise InputError(
            f"{tensors.where}: {length} positions of patches fit neither a square grid nor the image size."
        )
    return grid


def _inner_norm(tensors):
    if "blocks.0.attn.norm.weight" in tensors:
        return "both"
    return "mlp" if "blocks.0.mlp.norm.weight" in tensors else None


def written(arguments, preprocessing, labels):
    require(arguments, inner_norm=None)
    return _written(arguments, preprocessing, labels, "eva02_tiny_patch14_224")


def written_large(arguments, preprocessing, labels):
    require(arguments, inner_norm=("mlp", "both"))
    return _written(arguments, preprocessing, labels, "eva02_base_patch14_224")


def _written(arguments, preprocessing, labels, architecture):
    require(
        arguments, position_embedding="learned_rotary", stem="linear", norm_first=True, activation="swiglu"
    )
    require(arguments, epsilon=1e-6, layer_scale=None, num_registers=0, embed_prefix=True, patch_bias=True)
    require(arguments, distillation_token=False, embedding_norm=False, pooling=("token", "gap"))
    if arguments["qkv_bias"]:
        require(arguments, key_bias=False)
    if arguments["num_classes"]:
        require(arguments, head_bias=True)
    if arguments["rotary_grid_size"] is None:
        raise InputError("needs rotary_grid_size, received None")
    model_args = {
        "mlp_ratio": timm.mlp_ratio(arguments["hidden_dim"], arguments["mlp_dim"]),
        "scale_attn_inner": arguments["inner_norm"] == "both",
        "use_fc_norm": arguments["norm_pooled"],
        "rope_temperature": arguments["rotary_base"],
        "ref_feat_shape": list(arguments["rotary_grid_size"]),
    }
    return Writing(
        {"config.json": timm.config_of(arguments, preprocessing, labels, architecture, model_args)}
    )


FAMILY = Family(name="timm EVA-02", table=TABLE, recognises=recognises, read=read, written=written)
LARGE_FAMILY = FAMILY._replace(
    name="timm EVA-02 with norms inside", table=LARGE, recognises=recognises_large, written=written_large
)
