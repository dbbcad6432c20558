"""DINOv2 in transformers, with and without registers.

Reference: https://github.com/huggingface/transformers, models/dinov2/modeling_dinov2.py and
models/dinov2_with_registers/modeling_dinov2_with_registers.py
"""

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, require
from keras_vit.pretrained.mapping import Row, linear, norm

_THEIRS = "encoder.layer.{i}"
ROWS = (
    *hf.EMBEDDINGS,
    *norm(f"{hf.BLOCK}/attention_norm", f"{_THEIRS}.norm1"),
    *hf.ATTENTION,
    Row(f"{hf.BLOCK}/attention_scale/gamma", f"{_THEIRS}.layer_scale1.lambda1"),
    *norm(f"{hf.BLOCK}/mlp_norm", f"{_THEIRS}.norm2"),
    Row(f"{hf.BLOCK}/mlp_scale/gamma", f"{_THEIRS}.layer_scale2.lambda1"),
    *hf.FINAL_NORM,
    *linear("head", "classifier"),
)
REQUIRED = {
    **hf.ADDED_POSITIONS,
    "class_token": True,
    "distillation_token": False,
    "embedding_norm": False,
    "patch_bias": True,
    "head_bias": True,
}
HEAD_POOLING = "token_gap"  # the classifier reads the class token and the mean of the patches
_DEFAULT = Preprocessing(
    crop_ratio=224 / 256, crop_mode="shortest_edge", mean=IMAGENET_MEAN, std=IMAGENET_STD
)
_REGISTERS = "embeddings.register_tokens"


def table(arguments):
    first, last = ("weights_in", "weights_out") if arguments["activation"] == "swiglu" else ("fc1", "fc2")
    return (
        *ROWS,
        *linear(f"{hf.BLOCK}/mlp/expansion", f"{_THEIRS}.mlp.{first}"),
        *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.mlp.{last}"),
    )


def read(config, tensors):
    arguments = hf.arguments_of({"layer_norm_eps": 1e-6, **config}, tensors)
    swiglu = "encoder.layer.0.mlp.weights_in.weight" in tensors
    num_classes = tensors.size("classifier.weight")
    arguments |= {
        "mlp_dim": tensors.shape(f"encoder.layer.0.mlp.{'weights_out' if swiglu else 'fc2'}.weight")[1],
        "activation": "swiglu" if swiglu else arguments["activation"],
        "num_registers": tensors.size(_REGISTERS, axis=1),
        "layer_scale": config.get("layerscale_value", 1.0),
        "qkv_bias": config.get("qkv_bias", True),
        "num_classes": num_classes,
        "pooling": HEAD_POOLING if num_classes else "token",
    }
    resampling = "antialiased" if _REGISTERS in tensors else "bicubic"
    preprocessing = hf.preprocessing_of(config, _DEFAULT)
    return Reading(arguments, preprocessing, resampling, with_head={"pooling": HEAD_POOLING})


def export(arguments, preprocessing, labels):
    head, registers = bool(arguments["num_classes"]), arguments["num_registers"]
    swiglu, hidden_dim = arguments["activation"] == "swiglu", arguments["hidden_dim"]
    # With SwiGLU, transformers uses two thirds of the stated width, rounded up to a multiple of 8.
    ratios = {
        (int(hidden_dim * ratio * 2 / 3) + 7) // 8 * 8 if swiglu else hidden_dim * ratio: ratio
        for ratio in range(1, 17)
    }
    require(arguments, **REQUIRED, mlp_dim=tuple(ratios), pooling=HEAD_POOLING if head else "token")
    if arguments["layer_scale"] is None:
        raise InputError("needs layer_scale, received None")
    kind, model_type = "Dinov2", "dinov2"
    if registers:
        kind, model_type = "Dinov2WithRegisters", "dinov2_with_registers"
    return hf.export(
        arguments,
        preprocessing,
        model_type,
        kind + ("ForImageClassification" if head else "Model"),
        "Bit",
        labels,
        prefix=f"{model_type}." if head else "",
        head="classifier",
        # Only pre-training uses it, but transformers expects it.
        added={"embeddings.mask_token": np.zeros((1, hidden_dim), "float32")},
        mlp_ratio=ratios[arguments["mlp_dim"]],
        use_swiglu_ffn=swiglu,
        layerscale_value=1.0,
        qkv_bias=arguments["qkv_bias"],
        **({"num_register_tokens": registers} if registers else {}),
    )


FAMILY = Family(
    name="Hugging Face DINOv2",
    table=table,
    signatures=(
        {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.mlp.fc1.weight"},
        {"encoder.layer.0.mlp.weights_in.weight"},
    ),
    read=read,
    export=export,
    prefixes=("dinov2_with_registers.", "dinov2."),
    unused=(r"mask_token$",),
    format="huggingface",
)
