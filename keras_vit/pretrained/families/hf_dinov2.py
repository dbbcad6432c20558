"""transformers' DINOv2, with and without registers.

Reference: https://github.com/huggingface/transformers, models/dinov2/modeling_dinov2.py and
models/dinov2_with_registers/modeling_dinov2_with_registers.py
"""

from keras_vit.pretrained.families import huggingface as hf
from keras_vit.pretrained.family import Family, Reading, Writing
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

_DEFAULT = Preprocessing(crop_ratio=224 / 256, mean=IMAGENET_MEAN, std=IMAGENET_STD)


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
        # The classifier reads the class token and the mean of the patches.
        "pooling": "token_gap" if arguments["num_classes"] else "token",
    }
    return Reading(arguments, preprocessing)


def written(arguments, preprocessing):
    head, registers = bool(arguments["num_classes"]), arguments["num_registers"]
    kind = "Dinov2WithRegisters" if registers else "Dinov2"
    model_type = "dinov2_with_registers" if registers else "dinov2"
    config = hf.config_of(arguments, model_type, kind + ("ForImageClassification" if head else "Model"))
    config |= {
        "mlp_ratio": arguments["mlp_dim"] / arguments["hidden_dim"],
        "use_swiglu_ffn": arguments["activation"] == "swiglu",
        "layerscale_value": 1.0,
        "qkv_bias": arguments["qkv_bias"],
        "use_mask_token": False,
        **({"num_register_tokens": registers} if registers else {}),
    }
    return Writing(
        {
            "config.json": config,
            "preprocessor_config.json": hf.preprocessor_config(preprocessing, "BitImageProcessor"),
        },
        lambda name: name if name.startswith("classifier") or not head else f"{model_type}.{name}",
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
    resampling="bicubic",
)
SWIGLU_FAMILY = FAMILY._replace(
    name="Hugging Face DINOv2 with SwiGLU", table=SWIGLU, recognises=recognises_swiglu
)
