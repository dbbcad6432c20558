"""What the families of the transformers library have in common."""

import math

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.pretrained.family import Export
from keras_vit.pretrained.layouts import PATCHES, tokens
from keras_vit.pretrained.mapping import Row, linear, norm

BLOCK = "encoder/block_{i}"
ACTIVATIONS = {"gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh", "quick_gelu": "quick_gelu"}
FIELDS = {  # of config.json: the argument of keras_vit.models.vit, and transformers' default
    "image_size": ("image_size", 224),
    "patch_size": ("patch_size", 16),
    "num_channels": ("channels", 3),
    "hidden_size": ("hidden_dim", 768),
    "num_hidden_layers": ("num_layers", 12),
    "num_attention_heads": ("num_heads", 12),
    "intermediate_size": ("mlp_dim", 3072),
    "hidden_act": ("activation", "gelu"),
    "layer_norm_eps": ("epsilon", 1e-12),
}
RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers

# The same in ViT, DeiT and DINOv2.
EMBEDDINGS = (
    Row("patch_embedding/projection/kernel", "embeddings.patch_embeddings.projection.weight", PATCHES),
    Row("patch_embedding/projection/bias", "embeddings.patch_embeddings.projection.bias"),
    Row("class_token/token", "embeddings.cls_token", tokens(3)),
    Row("distillation_token/tokens", "embeddings.distillation_token", tokens(3)),
    Row("registers/tokens", "embeddings.register_tokens", tokens(3)),
    Row("position_embedding/embedding", "embeddings.position_embeddings", tokens(3)),
)
ATTENTION = (
    *linear(
        f"{BLOCK}/attention/qkv",
        *(f"encoder.layer.{{i}}.attention.attention.{part}" for part in ("query", "key", "value")),
    ),
    *linear(f"{BLOCK}/attention/projection", "encoder.layer.{i}.attention.output.dense"),
)
FINAL_NORM = norm("encoder/norm", "layernorm")


def arguments_of(config, tensors):
    """Returns the arguments of `keras_vit.models.vit` that all these configurations have."""
    arguments = {name: config.get(field, default) for field, (name, default) in FIELDS.items()}
    if arguments["activation"] not in ACTIVATIONS:
        raise InputError(
            f"{tensors.where}: the activation {arguments['activation']!r} is not one of "
            f"{', '.join(ACTIVATIONS)}."
        )
    return arguments | {
        "image_size": pair(arguments["image_size"]),
        "patch_size": pair(arguments["patch_size"]),
        "activation": ACTIVATIONS[arguments["activation"]],
    }


# Arguments of the models that transformers has.
COMMON = {
    "stem": "linear",
    "qk_norm": False,
    "inner_norm": None,
    "norm_first": True,
    "norm_pooled": False,
    "activation": (*ACTIVATIONS.values(), "swiglu"),
}
# Those with positions that are added, also to the class token.
ADDED_POSITIONS = {
    **COMMON,
    "embed_prefix": True,
    "embed_registers": False,
    "position_embedding": ("learned", "sincos_1d", "sincos_2d"),
}


def pair(size):
    return tuple(size) if isinstance(size, (list, tuple)) else (size, size)


def preprocessing_of(config, default):
    """Reads preprocessor_config.json, which the configuration contains under that name."""
    stored = config.get("preprocessor_config")
    if not stored:
        return default
    by_shortest = default.crop_mode == "shortest_edge"
    size = stored.get("size") or math.floor(default.image_size[0] / default.crop_ratio)
    if isinstance(size, int):  # older files; the meaning depends on the processor
        size = {"shortest_edge": size} if by_shortest else {"height": size, "width": size}
    by_shortest = "shortest_edge" in size
    resized = pair(size["shortest_edge"]) if by_shortest else (size["height"], size["width"])
    cropped = stored.get("do_center_crop", by_shortest or default.crop_ratio < 1)
    final = _sides(stored.get("crop_size"), default) if cropped else resized
    normalised = stored.get("do_normalize", True)
    return Preprocessing(
        image_size=final,
        crop_ratio=_ratio(min(final), min(resized)),
        crop_mode="shortest_edge" if by_shortest else "squash",
        interpolation=RESAMPLE[stored["resample"]] if "resample" in stored else default.interpolation,
        mean=tuple(stored.get("image_mean") or default.mean) if normalised else (0.0,) * 3,
        std=tuple(stored.get("image_std") or default.std) if normalised else (1.0,) * 3,
        rounded=default.rounded,
    )


def preprocessor_config(preprocessing, processor):
    """Returns the preprocessor_config.json of a `Preprocessing`."""
    if preprocessing.crop_mode == "border":
        raise InputError("has no letterbox, geometry=letterbox")
    height, width = preprocessing.image_size
    ratio, squash = preprocessing.crop_ratio, preprocessing.crop_mode == "squash"
    resized = {"height": math.floor(height / ratio), "width": math.floor(width / ratio)}
    return {
        "image_processor_type": processor,
        "do_resize": True,
        "size": resized if squash else {"shortest_edge": min(resized.values())},
        "resample": next(k for k, v in RESAMPLE.items() if v == preprocessing.interpolation),
        "do_center_crop": not squash or ratio != 1,
        "crop_size": {"height": height, "width": width},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(preprocessing.mean),
        "image_std": list(preprocessing.std),
    }


def export(
    arguments, preprocessing, model_type, architecture, processor,
    labels=None, prefix="", head=None, added=None, **config,
):  # fmt: skip
    """Returns the `Export` of a model.

    `model_type`, `architecture` and `processor` are transformers' names of the model and its image processor.
    Names in the file start with `prefix`, except those that contain `head`. `added` are arrays that our model
    does not have, `config` fields of config.json.
    """
    return Export(
        {
            "config.json": {**_config(arguments, model_type, architecture, labels), **config},
            "preprocessor_config.json": preprocessor_config(preprocessing, f"{processor}ImageProcessor"),
        },
        lambda name: name if head and head in name else f"{prefix}{name}",
        added or {},
    )


def _config(arguments, model_type, architecture, labels):
    names = {v: k for k, v in ACTIVATIONS.items()} | {"swiglu": "gelu"}
    words = labels or [f"LABEL_{i}" for i in range(arguments["num_classes"])]
    labels = {str(i): word for i, word in enumerate(words)}
    fields = {field: arguments[name] for field, (name, _) in FIELDS.items()}
    for field in ("image_size", "patch_size"):
        height, width = fields[field]
        fields[field] = height if height == width else [height, width]
    return {
        "architectures": [architecture],
        "model_type": model_type,
        **fields,
        "hidden_act": names[arguments["activation"]],
        "torch_dtype": "float32",
        **({"id2label": labels, "label2id": {v: int(k) for k, v in labels.items()}} if labels else {}),
    }


def _ratio(crop, shortest):
    """Returns a ratio that results in the same number of whole pixels."""
    ratio = crop / shortest
    return ratio if math.floor(crop / ratio) == shortest else math.nextafter(ratio, 0)


def _sides(size, default):
    if isinstance(size, dict):
        return (size["height"], size["width"])
    return default.image_size if size is None else pair(size)
