"""transformers' DINOv2, with and without registers.

Reference: https://github.com/huggingface/transformers, models/dinov2/modeling_dinov2.py and
models/dinov2_with_registers/modeling_dinov2_with_registers.py
"""

import numpy as np

from keras_vit.errors import InputError
from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, Writing, require
from keras_vit.pretrained.mapping import Row, linear, norm
from keras_vit.pretrained.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

_THEIRS = "encoder.layer.{i}"

TABLE = (
    *hf.EMBEDDINGS,
    *norm(f"{hf.BLOCK}/attention_norm", f"{_THEIRS}.norm1"),
    *hf.ATTENTION,
    Row(f"{hf.BLOCK}/attention_scale/gamma", f"{_THEIRS}.layer_scale1.lambda1"),
    *norm(f"{hf.BLOCK}/mlp_norm", f"{_THEIRS}.norm2"),
    *linear(f"{hf.BLOCK}/mlp/expansion", f"{_THEIRS}.mlp.fc1"),
    *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.mlp.fc2"),
    Row(f"{hf.BLOCK}/mlp_scale/gamma", f"{_THEIRS}.layer_scale2.lambda1"),
    *hf.HEADS,
)
# The giant's MLP has names of its own.
SWIGLU = (
    *(row for row in TABLE if "/mlp/" not in row.ours),
    *linear(f"{hf.BLOCK}/mlp/expansion", f"{_THEIRS}.mlp.weights_in"),
    *linear(f"{hf.BLOCK}/mlp/projection", f"{_THEIRS}.mlp.weights_out"),
)

_REQUIRED = {
    **hf.COMMON,
    "class_token": True,
    "distillation_token": False,
    "embedding_norm": False,
    "patch_bias": True,
}
CLASSIFIED = "token_gap"  # the classifier reads the class token and the mean of the patches
_DEFAULT = Preprocessing(
    crop_ratio=224 / 256, crop_mode="shortest_edge", mean=IMAGENET_MEAN, std=IMAGENET_STD
)


def recognises(config, names):
    return "encoder.layer.0.layer_scale1.lambda1" in names and "encoder.layer.0.mlp.fc1.weight" in names


def recognises_swiglu(config, names):
    return "encoder.layer.0.mlp.weights_in.weight" in names


def read(config, tensors):
    preprocessing = hf.preprocessing_of(config, _DEFAULT)
    config = {"layer_norm_eps": 1e-6, **config}
    arguments = hf.with_head(hf.arguments_of(config, tensors, preprocessing), tensors)
    swiglu = "encoder.layer.0.mlp.weights_in.weight" in tensors
    last = "weights_out" if swiglu else "fc2"
    has_registers = "embeddings.register_tokens" in tensors
    arguments |= {
        "mlp_dim": tensors.shape(f"encoder.layer.0.mlp.{last}.weight")[1],
        "activation": "swiglu" if swiglu else arguments["activation"],
        "num_registers": tensors.shape("embeddings.register_tokens")[1] if has_registers else 0,
        "layer_scale": config.get("layerscale_value", 1.0),
        "qkv_bias": config.get("qkv_bias", True),
        "pooling": CLASSIFIED if arguments["num_classes"] else "token",
    }
    resampling = "antialiased" if has_registers else "bicubic"
    return Reading(arguments, preprocessing, resampling, with_head={"pooling": CLASSIFIED})


def written(arguments, preprocessing, labels):
    require(arguments, **_REQUIRED, activation=tuple(hf.ACTIVATIONS.values()))
    return _written(arguments, preprocessing, labels, lambda ratio: arguments["hidden_dim"] * ratio)


def written_swiglu(arguments, preprocessing, labels):
    """transformers takes two thirds of the stated width and rounds up to a multiple of 8."""
    require(arguments, **_REQUIRED, activation="swiglu")
    hidden_dim = arguments["hidden_dim"]
    return _written(
        arguments, preprocessing, labels, lambda ratio: (int(hidden_dim * ratio * 2 / 3) + 7) // 8 * 8
    )


def _written(arguments, preprocessing, labels, mlp_dim_of):
    ratios = {mlp_dim_of(ratio): ratio for ratio in range(1, 17)}
    require(arguments, mlp_dim=tuple(ratios))
    head, registers = bool(arguments["num_classes"]), arguments["num_registers"]
    require(arguments, pooling=CLASSIFIED if head else "token", head_bias=True)
    if arguments["layer_scale"] is None:
        raise InputError("needs layer_scale, received None")
    kind = "Dinov2WithRegisters" if registers else "Dinov2"
    model_type = "dinov2_with_registers" if registers else "dinov2"
    config = hf.config_of(
        arguments, model_type, kind + ("ForImageClassification" if head else "Model"), labels
    )
    config |= {
        "mlp_ratio": ratios[arguments["mlp_dim"]],
        "use_swiglu_ffn": arguments["activation"] == "swiglu",
        "layerscale_value": 1.0,
        "qkv_bias": arguments["qkv_bias"],
        **({"num_register_tokens": registers} if registers else {}),
    }
    return Writing(
        {
            "config.json": config,
            "preprocessor_config.json": hf.preprocessor_config(preprocessing, "BitImageProcessor"),
        },
        lambda name: name if name.startswith("classifier") or not head else f"{model_type}.{name}",
        # Of use in pre-training alone, but transformers looks for it.
        {"embeddings.mask_token": lambda arrays: np.zeros((1, arguments["hidden_dim"]), "float32")},
    )


FAMILY = Family(
    name="Hugging Face DINOv2",
    table=TABLE,
    recognises=recognises,
    read=read,
    written=written,
    rename=hf.without("dinov2_with_registers.", "dinov2."),
    unused=(r"mask_token$",),
    format="huggingface",
)
SWIGLU_FAMILY = FAMILY._replace(
    name="Hugging Face DINOv2 with SwiGLU", table=SWIGLU, recognises=recognises_swiglu, written=written_swiglu
)
