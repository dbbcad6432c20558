"""The image towers of CLIP and SigLIP in transformers.

Reference: https://github.com/huggingface/transformers, models/clip/modeling_clip.py,
models/siglip/modeling_siglip.py
"""

from keras_vit.io.preprocessing import Preprocessing
from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, require
from keras_vit.pretrained.layouts import KERNEL, KEY_VALUE, PATCHES, QUERY, tokens
from keras_vit.pretrained.mapping import Row, linear, norm

_THEIRS = "encoder.layers.{i}"

_TOWER = (
    Row("patch_embedding/projection/kernel", "embeddings.patch_embedding.weight", PATCHES),
    Row("position_embedding/embedding", "embeddings.position_embedding.weight", tokens(2)),
    *norm(f"{hf.BLOCK}/attention_norm", f"{_THEIRS}.layer_norm1"),
    *linear(f"{hf.BLOCK}/attention/qkv", *(f"{_THEIRS}.self_attn.{p}_proj" for p in ("q", "k", "v"))),
    *linear(f"{hf.BLOCK}/attention/projection", f"{_THEIRS}.self_attn.out_proj"),
    *norm(f"{hf.BLOCK}/mlp_norm", f"{_THEIRS}.layer_norm2"),
    *linear(f"{hf.BLOCK}/mlp/expansion", f"{_THEIRS}.mlp.fc1"),
    *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.mlp.fc2"),
    *norm("encoder/norm", "post_layernorm"),
)
CLIP = (
    *_TOWER,
    Row("class_token/token", "embeddings.class_embedding", tokens(1)),
    *norm("embedding_norm", "pre_layrnorm"),
    Row("head/kernel", "visual_projection.weight", KERNEL),
)
SIGLIP = (
    *_TOWER,
    Row("patch_embedding/projection/bias", "embeddings.patch_embedding.bias"),
    Row("pooling/probe", "head.probe", tokens(3)),
    Row("pooling/query/kernel", "head.attention.in_proj_weight", QUERY),
    Row("pooling/query/bias", "head.attention.in_proj_bias", QUERY),
    Row("pooling/key_value/kernel", "head.attention.in_proj_weight", KEY_VALUE),
    Row("pooling/key_value/bias", "head.attention.in_proj_bias", KEY_VALUE),
    *linear("pooling/projection", "head.attention.out_proj"),
    *norm("pooling/norm", "head.layernorm"),
    *linear("pooling/mlp/expansion", "head.mlp.fc1"),
    *linear("pooling/mlp/projection", "head.mlp.fc2"),
)
# The text tower, and the parameters of both.
UNUSED = (r"^text_model\.", r"^text_projection\.", r"^logit_(scale|bias)$", r"position_ids$")

REQUIRED = {
    **hf.ADDED_POSITIONS,
    "distillation_token": False,
    "num_registers": 0,
    "layer_scale": None,
    "qkv_bias": True,
    "activation": tuple(hf.ACTIVATIONS.values()),
}
_CLIP = Preprocessing(
    crop_mode="shortest_edge",
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)
_SIGLIP = Preprocessing(crop_mode="squash")


def read_clip(config, tensors):
    vision = {"layer_norm_eps": 1e-5, "hidden_act": "quick_gelu", "patch_size": 32, **_vision(config)}
    arguments = hf.arguments_of(vision, tensors)
    arguments |= {"patch_bias": False, "embedding_norm": True, "head_bias": False}
    arguments["num_classes"] = tensors.size("visual_projection.weight")
    return Reading(arguments, hf.preprocessing_of(config, _CLIP), "bicubic")


def read_siglip(config, tensors):
    vision = {"layer_norm_eps": 1e-6, "hidden_act": "gelu_pytorch_tanh", **_vision(config)}
    arguments = hf.arguments_of(vision, tensors) | {"pooling": "map", "num_classes": 0}
    return Reading(arguments, hf.preprocessing_of(config, _SIGLIP), "bicubic")


def _vision(config):
    return config.get("vision_config", config)


def export_clip(arguments, preprocessing, labels):
    require(arguments, **REQUIRED, embedding_norm=True, patch_bias=False, pooling="token")
    if arguments["num_classes"]:
        require(arguments, head_bias=False)
    return hf.export(
        {**arguments, "num_classes": 0},
        preprocessing,
        "clip_vision_model",
        "CLIPVisionModelWithProjection" if arguments["num_classes"] else "CLIPVisionModel",
        "CLIP",
        prefix="vision_model.",
        head="visual_projection",
        projection_dim=arguments["num_classes"] or 512,
    )


def export_siglip(arguments, preprocessing, labels):
    require(arguments, **REQUIRED, embedding_norm=False, patch_bias=True, pooling="map", num_classes=0)
    require(arguments, class_token=False)
    return hf.export(
        arguments,
        preprocessing,
        "siglip_vision_model",
        "SiglipVisionModel",
        "Siglip",
        prefix="vision_model.",
    )


CLIP_FAMILY = Family(
    name="Hugging Face CLIP",
    table=lambda arguments: CLIP,
    signatures=({"pre_layrnorm.weight"},),
    read=read_clip,
    export=export_clip,
    prefixes=("vision_model.",),
    unused=UNUSED,
    format="huggingface",
)
SIGLIP_FAMILY = CLIP_FAMILY._replace(
    name="Hugging Face SigLIP",
    table=lambda arguments: SIGLIP,
    signatures=({"head.probe", "encoder.layers.0.layer_norm1.weight"},),
    read=read_siglip,
    export=export_siglip,
)
