"""timm's `VisionTransformer`: ViT (augreg and others), DeiT, DeiT-III, DINO, DINOv2, CLIP and SigLIP towers.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/vision_transformer.py, deit.py
"""

import re

import numpy as np

from keras_vit.errors import InputError
from keras_vit.pretrained.families import timm
from keras_vit.pretrained.family import Family, Reading, require
from keras_vit.pretrained.layouts import tokens
from keras_vit.pretrained.mapping import Row, linear, norm

TABLE = (
    *timm.ROWS,
    Row("distillation_token/tokens", "dist_token", tokens(3)),
    Row("position_embedding/embedding", "pos_embed", tokens(3)),
    *norm("embedding_norm", "norm_pre"),
    *linear(f"{timm.BLOCK}/attention/qkv", f"{timm.THEIRS}.attn.qkv"),
    Row(f"{timm.BLOCK}/attention_scale/gamma", f"{timm.THEIRS}.ls1.gamma"),
    *timm.EXPANSION,
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

# Neither the tensors' shapes nor the stored arguments contain these: heads have 64 channels except in
HEAD_COUNTS = {1152: 16, 1280: 16, 1408: 16, 1664: 16}  # by hidden_dim
HEAD_COUNTS_BY_NAME = {r"giantopt": 16, r"test_vit[34]": 3, r"test_vit": 2, r"vit_base_patch16_gap_224": 16}
GELU_TANH = r"patch32_siglip|giantopt|large_patch16_siglip_(gap_)?512|so400m_patch16_siglip"
OTHERS = r"_rpn_|_rope_|_pe_|^eva"  # the same names for another graph: normalized sums, rotary positions
GRAPH = dict.fromkeys(
    (
        "use_rot_pos_emb", "norm_layer", "embed_layer", "block_fn", "attn_layer", "mlp_layer",
        "pool_include_prefix",
    )
)  # fmt: skip
GELUS = ("gelu", "gelu_tanh", "quick_gelu")


def read(config, tensors):
    architecture, model_args = config.get("architecture", ""), config.get("model_args", {})
    timm.check_graph(config, tensors, GRAPH, re.search(OTHERS, architecture))
    has = tensors.__contains__
    arguments = timm.arguments_of(config, tensors)
    registers, mlp_dim = arguments["num_registers"], arguments["mlp_dim"]
    prefix = has("cls_token") + has("dist_token")
    grid, num_embedded = _grid(config, tensors, arguments["patch_size"], prefix, registers)
    packs_gate = tensors.size("blocks.0.mlp.fc1.weight") == 2 * mlp_dim
    if not model_args.get("num_heads"):
        arguments["num_heads"] = _num_heads(architecture, arguments["hidden_dim"])
    arguments |= {
        "image_size": timm.image_size_of(grid, arguments["patch_size"]),
        "pooling": timm.configured_pooling(config, tensors) or _pooling(has),
        "distillation_token": has("dist_token"),
        "position_embedding": "learned" if has("pos_embed") else "none",
        "embed_prefix": not has("pos_embed") or num_embedded > 0 or not prefix,
        "embed_registers": registers > 0 and num_embedded == prefix + registers,
        "embedding_norm": has("norm_pre.weight"),
        "qkv_bias": has("blocks.0.attn.qkv.bias"),
        "layer_scale": 1e-5 if has("blocks.0.ls1.gamma") else None,
        "activation": "swiglu" if packs_gate else _activation(architecture, model_args),
        "epsilon": 1e-5 if "_clip_" in architecture else 1e-6,
    }
    return Reading(arguments, timm.preprocessing_of(config))


def _grid(config, tensors, patch_size, prefix, registers):
    """Returns the grid of patches, and how many of the tokens before it have positions."""
    configured = timm.configured_grid(config, patch_size)
    if "pos_embed" not in tensors:
        return configured or (14, 14), 0
    return timm.grid_of(tensors, configured, (prefix, 0, prefix + registers))


def _pooling(has):
    if has("attn_pool.latent"):
        return "map"
    return "gap" if has("fc_norm.weight") or not has("cls_token") else "token"


def _num_heads(architecture, hidden_dim):
    named = (count for name, count in HEAD_COUNTS_BY_NAME.items() if re.search(name, architecture))
    return next(named, HEAD_COUNTS.get(hidden_dim, hidden_dim // 64))


def _activation(architecture, model_args):
    name = model_args.get("act_layer") or "gelu"
    if "act_layer" not in model_args and "quickgelu" in architecture:
        name = "quick_gelu"
    if "act_layer" not in model_args and re.search(GELU_TANH, architecture):
        name = "gelu_tanh"
    if name not in GELUS:
        raise InputError(f"The activation {name!r} is unknown: expected one of {', '.join(GELUS)}.")
    return name


def export(arguments, preprocessing, labels):
    require(arguments, **timm.COMMON, pooling=("token", "gap", "map"), inner_norm=None)
    require(arguments, position_embedding=("learned", "sincos_1d", "sincos_2d", "none"))
    if arguments["embedding_norm"]:
        require(arguments, patch_bias=False)
    swiglu, registers = arguments["activation"] == "swiglu", arguments["num_registers"]
    has_positions = arguments["position_embedding"] != "none"
    if has_positions and registers and arguments["class_token"] and not arguments["embed_registers"]:
        require(arguments, embed_prefix=False)
    embeds_all = arguments["embed_prefix"] and (not registers or arguments["embed_registers"])
    return timm.export(
        arguments,
        preprocessing,
        labels,
        _architecture(arguments),
        _zero_biases(arguments),
        mlp_ratio=timm.mlp_ratio(arguments["hidden_dim"], arguments["mlp_dim"] * (2 if swiglu else 1)),
        no_embed_class=not embeds_all,
        reg_tokens=registers,
        pos_embed="none" if arguments["position_embedding"] == "none" else "learn",
        pre_norm=arguments["embedding_norm"],
        fc_norm=arguments["norm_pooled"],
        **({} if swiglu else {"act_layer": arguments["activation"]}),
    )


def _architecture(arguments):
    """Returns the architecture of timm that corresponds to the model's graph."""
    if arguments["distillation_token"]:
        require(arguments, epsilon=1e-6, activation=GELUS)
        return "deit_base_distilled_patch16_224"
    if arguments["activation"] == "swiglu":
        require(arguments, epsilon=1e-6)
        return "vit_giant_patch14_dinov2"
    return "vit_base_patch16_clip_224" if arguments["epsilon"] == 1e-5 else "vit_base_patch16_224"


def _zero_biases(arguments):
    """timm adds biases where our model has none."""
    added = {}
    if not arguments["patch_bias"] and not arguments["embedding_norm"]:
        added["patch_embed.proj.bias"] = np.zeros(arguments["hidden_dim"], "float32")
    if arguments["num_classes"] and not arguments["head_bias"]:
        added["head.bias"] = np.zeros(arguments["num_classes"], "float32")
    return added


FAMILY = Family(
    name="timm ViT",
    table=lambda arguments: TABLE,
    signatures=({"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "blocks.0.mlp.fc2.weight"},),
    read=read,
    export=export,
)
