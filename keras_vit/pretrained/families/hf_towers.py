"""The image towers of transformers' CLIP and SigLIP.

Reference: https://github.com/huggingface/transformers, models/clip/modeling_clip.py,
models/siglip/modeling_siglip.py
"""

from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.layouts import (
    KERNEL,
    KEY_VALUE_BIAS,
    KEY_VALUE_KERNEL,
    PATCHES,
    QUERY_BIAS,
    QUERY_KERNEL,
    tokens,
)
from keras_vit.pretrained.mapping import Row, linear, norm
from keras_vit.pretrained.preprocessing import Preprocessing

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
    Row("pooling/query/kernel", "head.attention.in_proj_weight", QUERY_KERNEL),
    Row("pooling/query/bias", "head.attention.in_proj_bias", QUERY_BIAS),
    Row("pooling/key_value/kernel", "head.attention.in_proj_weight", KEY_VALUE_KERNEL),
    Row("pooling/key_value/bias", "head.attention.in_proj_bias", KEY_VALUE_BIAS),
    *linear("pooling/projection", "head.attention.out_proj"),
    *norm("pooling/norm", "head.layernorm"),
    *linear("pooling/mlp/expansion", "head.mlp.fc1"),
    *linear("pooling/mlp/projection", "head.mlp.fc2"),
)
# The text tower and what joins the two.
UNUSED = (r"^text_model\.", r"^text_projection\.", r"^logit_(scale|bias)$", r"position_ids$")

_REQUIRED = {
    **hf.COMMON,
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


def recognises_clip(config, names):
    return "pre_layrnorm.weight" in names


def recognises_siglip(config, names):
    return {"head.probe", "encoder.layers.0.layer_norm1.weight"} <= set(names)


def read_clip(config, tensors):
    preprocessing = hf.preprocessing_of(config, _CLIP)
    vision = {"layer_norm_eps": 1e-5, "hidden_act": "quick_gelu", **_vision(config)}
    vision = {"patch_size": 32, **vision}
    arguments = hf.arguments_of(vision, tensors, preprocessing)
    arguments |= {"patch_bias": False, "embedding_norm": True, "head_bias": False}
    return Reading(hf.with_head(arguments, tensors, "visual_projection.weight"), preprocessing, "bicubic")


def read_siglip(config, tensors):
    preprocessing = hf.preprocessing_of(config, _SIGLIP)
    vision = {"layer_norm_eps": 1e-6, "hidden_act": "gelu_pytorch_tanh", **_vision(config)}
    arguments = hf.arguments_of(vision, tensors, preprocessing)
    return Reading({**arguments, "pooling": "map", "num_classes": 0}, preprocessing, "bicubic")


def written_clip(arguments, preprocessing, labels):
    require(arguments, **_REQUIRED, embedding_norm=True, patch_bias=False, pooling="token")
    if arguments["num_classes"]:
        require(arguments, head_bias=False)
    head = arguments["num_classes"]
    architecture = "CLIPVisionModelWithProjection" if head else "CLIPVisionModel"
    config = hf.config_of({**arguments, "num_classes": 0}, "clip_vision_model", architecture)
    return Writing(
        {
            "config.json": {**config, "projection_dim": head or 512},
            "preprocessor_config.json": hf.preprocessor_config(preprocessing, "CLIPImageProcessor"),
        },
        lambda name: name if name.startswith("visual_projection") else f"vision_model.{name}",
    )


def written_siglip(arguments, preprocessing, labels):
    require(arguments, **_REQUIRED, embedding_norm=False, patch_bias=True, pooling="map", num_classes=0)
    require(arguments, class_token=False)
    return Writing(
        {
            "config.json": hf.config_of(arguments, "siglip_vision_model", "SiglipVisionModel"),
            "preprocessor_config.json": hf.preprocessor_config(preprocessing, "SiglipImageProcessor"),
        },
        lambda name: f"vision_model.{name}",
    )


def _vision(config):
    return config.get("vision_config", config)


CLIP_FAMILY = Family(
    name="Hugging Face CLIP",
    table=CLIP,
    recognises=recognises_clip,
    read=read_clip,
    written=written_clip,
    rename=hf.without("vision_model."),
    unused=UNUSED,
    format="huggingface",
)
SIGLIP_FAMILY = CLIP_FAMILY._replace(
    name="Hugging Face SigLIP",
    table=SIGLIP,
    recognises=recognises_siglip,
    read=read_siglip,
    written=written_siglip,
)
