"""transformers' ViT and DeiT.

Reference: https://github.com/huggingface/transformers, models/vit/modeling_vit.py,
models/deit/modeling_deit.py
"""

from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.mapping import linear, norm
from keras_vit.pretrained.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

_THEIRS = "encoder.layer.{i}"

TABLE = (
    *hf.EMBEDDINGS,
    *norm(f"{hf.BLOCK}/attention_norm", f"{_THEIRS}.layernorm_before"),
    *hf.ATTENTION,
    *norm(f"{hf.BLOCK}/mlp_norm", f"{_THEIRS}.layernorm_after"),
    *linear(f"{hf.BLOCK}/mlp/expansion", f"{_THEIRS}.intermediate.dense"),
    *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.output.dense"),
    *hf.HEADS,
)
# DeiT's two heads have names of their own.
DISTILLED = (
    *(row for row in TABLE if not row.ours.startswith("head/")),
    *linear("head", "cls_classifier"),
    *linear("distillation_head", "distillation_classifier"),
)
UNUSED = (r"^pooler\.", r"mask_token$")

_REQUIRED = {
    **hf.COMMON,
    "pooling": "token",
    "num_registers": 0,
    "layer_scale": None,
    "activation": tuple(hf.ACTIVATIONS.values()),
    "head_bias": True,
}
_GOOGLE = Preprocessing(crop_mode="squash", interpolation="bilinear")
_DEIT = Preprocessing(crop_ratio=0.875, crop_mode="squash", mean=IMAGENET_MEAN, std=IMAGENET_STD)


def recognises(config, names):
    return f"{_THEIRS}.layernorm_before.weight".format(i=0) in names and not _is_distilled(names)


def recognises_distilled(config, names):
    return f"{_THEIRS}.layernorm_before.weight".format(i=0) in names and _is_distilled(names)


def read(config, tensors):
    return _read(config, tensors, _GOOGLE, "classifier.weight")


def read_distilled(config, tensors):
    return _read(config, tensors, _DEIT, "cls_classifier.weight")


def written(arguments, preprocessing, labels):
    require(arguments, **_REQUIRED, distillation_token=False, embedding_norm=False, patch_bias=True)
    head = bool(arguments["num_classes"])
    architecture = "ViTForImageClassification" if head else "ViTModel"
    config = hf.config_of(arguments, "vit", architecture, labels)
    return Writing(
        {
            "config.json": {**config, "qkv_bias": arguments["qkv_bias"]},
            "preprocessor_config.json": hf.preprocessor_config(preprocessing, "ViTImageProcessor"),
        },
        lambda name: name if name.startswith("classifier") or not head else f"vit.{name}",
    )


def written_distilled(arguments, preprocessing, labels):
    require(arguments, **_REQUIRED, distillation_token=True, embedding_norm=False, patch_bias=True)
    head = bool(arguments["num_classes"])
    architecture = "DeiTForImageClassificationWithTeacher" if head else "DeiTModel"
    config = hf.config_of(arguments, "deit", architecture, labels)
    return Writing(
        {
            "config.json": {**config, "qkv_bias": arguments["qkv_bias"]},
            "preprocessor_config.json": hf.preprocessor_config(preprocessing, "DeiTImageProcessor"),
        },
        lambda name: name if "_classifier" in name or not head else f"deit.{name}",
    )


def _is_distilled(names):
    return "embeddings.distillation_token" in names


def _read(config, tensors, default, head):
    preprocessing = hf.preprocessing_of(config, default)
    arguments = hf.with_head(hf.arguments_of(config, tensors, preprocessing), tensors, head)
    arguments["qkv_bias"] = config.get("qkv_bias", True)
    arguments["distillation_token"] = _is_distilled(tensors.names())
    return Reading(arguments, preprocessing, "bicubic")


FAMILY = Family(
    name="Hugging Face ViT",
    table=TABLE,
    recognises=recognises,
    read=read,
    written=written,
    rename=hf.without("vit.", "deit."),
    unused=UNUSED,
    format="huggingface",
)
DEIT_FAMILY = FAMILY._replace(
    name="Hugging Face DeiT",
    table=DISTILLED,
    recognises=recognises_distilled,
    read=read_distilled,
    written=written_distilled,
)
