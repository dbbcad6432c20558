"""Small models with every option that changes what they compute, and weights as after a training."""

import keras
import numpy as np

from keras_vit import models

VIT_OPTIONS = [
    {},
    {"num_registers": 3},
    {"pooling": "gap"},
    {"pooling": "gap", "class_token": True, "num_registers": 2},
    {"pooling": "map"},
    {"pooling": "map", "class_token": True, "num_registers": 1},
    {"qk_norm": True},
    {"activation": "swiglu"},
    {"activation": "gelu_tanh", "distillation_token": True},
    {"activation": "quick_gelu", "pooling": "token_gap", "num_registers": 2},
    {"activation": keras.activations.relu, "kernel_regularizer": "l2"},
    {"layer_scale": 0.1},
    {"norm_first": False},
    {"norm_first": False, "pooling": "gap", "layer_scale": 0.1, "qk_norm": True},
    {"stem": "conv"},
    {"stem": "conv", "pooling": "gap", "channels": 1},
    {"position_embedding": "sincos_1d"},
    {"position_embedding": "sincos_2d", "num_registers": 2},
    {"position_embedding": "none", "patch_size": (2, 8)},
    {"position_embedding": "rotary", "num_registers": 2, "key_bias": False},
    {"position_embedding": "rotary", "pooling": "gap", "qk_norm": True, "inner_norm": "both"},
    {"position_embedding": "learned_rotary", "rotary_grid_size": (3, 5), "inner_norm": "mlp"},
    {"embed_prefix": False, "num_registers": 2, "patch_bias": False, "head_bias": False},
    {"embed_registers": True, "num_registers": 2, "embedding_norm": True, "epsilon": 1e-2},
    {"qkv_bias": False, "norm_pooled": True, "pooling": "gap", "num_heads": 1},
    {"position_embedding": "rotary", "rotary_base": 10.0},
    {"norm_pooled": True, "pooling": "map", "activation": "swiglu", "channels": 4},
    {
        "norm_pooled": True,
        "pooling": "token_gap",
        "pixel_mean": (0.5, 0.4, 0.3),
        "pixel_std": (0.2, 0.3, 0.4),
    },
    {"token_reduction": "merger", "num_merged_tokens": 3, "num_registers": 1, "num_layers": 3},
    {"token_reduction": "merger", "num_merged_tokens": 5, "pooling": "gap", "norm_first": False},
    {"token_reduction": "merger", "num_merged_tokens": 2, "norm_pooled": True, "pooling": "map"},
    {"token_reduction": "pooling", "num_layers": 3, "reduce_after": 1, "distillation_token": True},
    {"token_reduction": "pooling", "pooling": "gap", "position_embedding": "rotary"},
    {"token_reduction": "pooling", "norm_first": False, "pooling": "token_gap"},
    {"num_layers": 1, "dropout_rate": 0.3, "drop_path_rate": 0.2, "attention_dropout_rate": 0.1},
]
OTHER_MODELS = {
    "linear": lambda: models.linear(image_size=(6, 8), num_classes=3),
    "mlp": lambda: models.mlp(image_size=(6, 8), hidden_dims=(8, 7), dropout_rate=0.5),
    "cnn": lambda: models.cnn(image_size=(9, 14), hidden_dim=16, pixel_mean=0.5, pixel_std=0.2),
    "cnn with normalisation": lambda: models.cnn(image_size=8, hidden_dim=16, batch_norm=True, channels=1),
    "cnn 5x5": lambda: models.cnn("5x5", image_size=(17, 8), activation="gelu", dropout_rate=0.5),
    "resnet 20": lambda: models.resnet("20", image_size=(15, 8), channels=1, dropout_rate=0.2),
    "resnet 18": lambda: models.resnet("18", image_size=(32, 40), stem="3x3", pixel_std=(0.2, 0.3, 0.4)),
    "levit": lambda: models.levit("Pico", image_size=(18, 27), num_classes=10, drop_path_rate=0.1),
    "levit with hard swish": lambda: models.levit(
        "Pico", num_classes=10, channels=1, activation="hard_swish", distillation_head=True
    ),
    "repvit": lambda: models.repvit("Pico", image_size=(18, 27), num_classes=10, pixel_std=(0.2, 0.3, 0.4)),
    "repvit with two heads": lambda: models.repvit(
        "Pico", num_classes=10, activation="relu", distillation_head=True
    ),
}


def name_of(options):
    """Returns an entry of `VIT_OPTIONS` as text."""
    return (
        " ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in options.items())
        or "default"
    )


def vit_with(options):
    """Returns a small Vision Transformer with an entry of `VIT_OPTIONS`."""
    known = {"num_layers": 2, "image_size": (8, 16), "num_classes": 10, **options}
    return trained_looking(models.vit("Pico/4", **known))


def other_model(name):
    """Returns one of `OTHER_MODELS`, whose statistics, scales and biases are not those of a fresh one."""
    model = OTHER_MODELS[name]()
    perturb([weight for weight in model.weights if len(weight.shape) == 1])
    return model


def trained_looking(model, seed=0):
    """Fresh weights are zeros and ones in places, where a forgotten one would not show."""
    perturb(model.weights, seed)
    return model


def perturb(variables, seed=0):
    rng = np.random.default_rng(seed)
    for variable in variables:
        value = np.asarray(variable)
        noise = 0.2 * rng.normal(size=value.shape)
        positive = "variance" in variable.path
        variable.assign(np.abs(value + noise) + 0.1 if positive else value + noise)
