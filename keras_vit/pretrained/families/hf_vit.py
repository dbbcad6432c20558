"""ViT and DeiT in transformers.

Reference: https://github.com/huggingface/transformers, models/vit/modeling_vit.py,
models/deit/modeling_deit.py
"""

from keras_vit.io.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, require
from keras_vit.pretrained.mapping import linear, norm

_THEIRS = "encoder.layer.{i}"
ROWS = (
    *hf.EMBEDDINGS,
    *norm(f"{hf.BLOCK}/attention_norm", f"{_THEIRS}.layernorm_before"),
    *hf.ATTENTION,
    *norm(f"{hf.BLOCK}/mlp_norm", f"{_THEIRS}.layernorm_after"),
    *linear(f"{hf.BLOCK}/mlp/expansion", f"{_THEIRS}.intermediate.dense"),
    *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.output.dense"),
    *hf.FINAL_NORM,
)
REQUIRED = {
    **hf.ADDED_POSITIONS,
    "pooling": "token",
    "num_registers": 0,
    "layer_scale": None,
    "activation": tuple(hf.ACTIVATIONS.values()),
    "head_bias": True,
    "embedding_norm": False,
    "patch_bias": True,
}
_GOOGLE = Preprocessing(crop_mode="squash", interpolation="bilinear")
_DEIT = Preprocessing(crop_ratio=0.875, crop_mode="squash", mean=IMAGENET_MEAN, std=IMAGENET_STD)


def table(arguments):
    if arguments["distillation_token"]:
        heads = linear("head", "cls_classifier"), linear("distillation_head", "distillation_classifier")
        return (*ROWS, *heads[0], *heads[1])
    return (*ROWS, *linear("head", "classifier"))


def read(config, tensors):
    distilled = "embeddings.distillation_token" in tensors
    arguments = hf.arguments_of(config, tensors) | {
        "num_classes": tensors.size(f"{'cls_' if distilled else ''}classifier.weight"),
        "qkv_bias": config.get("qkv_bias", True),
        "distillation_token": distilled,
    }
    return Reading(arguments, hf.preprocessing_of(config, _DEIT if distilled else _GOOGLE), "bicubic")


def export(arguments, preprocessing, labels):
    require(arguments, **REQUIRED)
    kind = "DeiT" if arguments["distillation_token"] else "ViT"
    suffix = "Model"
    if arguments["num_classes"]:
        suffix = "ForImageClassification" + ("WithTeacher" if kind == "DeiT" else "")
    return hf.export(
        arguments,
        preprocessing,
        kind.lower(),
        kind + suffix,
        kind,
        labels,
        prefix=f"{kind.lower()}." if arguments["num_classes"] else "",
        head="classifier",
        qkv_bias=arguments["qkv_bias"],
    )


FAMILY = Family(
    name="Hugging Face ViT",
    table=table,
    signatures=({"encoder.layer.0.layernorm_before.weight"},),
    read=read,
    export=export,
    prefixes=("vit.", "deit."),
    unused=(r"^pooler\.", r"mask_token$"),
    format="huggingface",
)
