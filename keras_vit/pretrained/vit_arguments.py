"""Finds the arguments of `keras_vit.models.vit` that a model was built with."""

import keras

from keras_vit import layers
from keras_vit.errors import InputError
from keras_vit.layers._options import BLOCK_DEFAULTS
from keras_vit.models.image_input import pixel_statistics


def vit_arguments(model: keras.Model) -> dict:
    """Returns the arguments of `keras_vit.models.vit` that determine the weights and the graph of a model."""
    named = {layer.name: layer for layer in model.layers}
    try:
        return {
            **_input(named, model),
            **_encoder(named["encoder"]),
            **_prefix(named),
            **_positions(named),
            **_head(named),
        }
    except (KeyError, AttributeError) as error:
        raise InputError(
            f"{model.name!r} is not a Vision Transformer of keras_vit.models.vit: it lacks {error}."
        ) from error


def _input(named, model):
    scaling, patches = named["scaling"], named["patch_embedding"]
    channels = model.input_shape[-1]
    pixel_mean, pixel_std = pixel_statistics(scaling, channels)
    return {
        "image_size": tuple(model.input_shape[1:3]),
        "patch_size": tuple(patches.patch_size),
        "channels": channels,
        "hidden_dim": patches.hidden_dim,
        "stem": patches.stem,
        "patch_bias": patches.use_bias,
        "embedding_norm": "embedding_norm" in named,
        "pixel_mean": pixel_mean,
        "pixel_std": pixel_std,
    }


def _encoder(encoder):
    training_only = ("_rate", "attention_initializer")  # which change no trained weight
    options = [option for option in BLOCK_DEFAULTS if not option.endswith(training_only)]
    reduction = encoder.reduction or {}
    return {
        **{field: getattr(encoder, field) for field in ("num_layers", "num_heads", "mlp_dim", *options)},
        "token_reduction": reduction.get("kind"),
        "reduce_after": reduction.get("after"),
        "num_merged_tokens": reduction.get("num_tokens"),
    }


def _prefix(named):
    positions, registers = named.get("position_embedding"), named.get("registers")
    num_registers = registers.num_tokens if registers else 0
    num_prefix = ("class_token" in named) + ("distillation_token" in named)
    embedded = positions.num_prefix_tokens if positions else 0
    return {
        "class_token": "class_token" in named,
        "distillation_token": "distillation_token" in named,
        "num_registers": num_registers,
        "embed_prefix": positions is None or embedded > 0 or not num_prefix,
        "embed_registers": num_registers > 0 and embedded == num_prefix + num_registers,
    }


def _positions(named):
    added, rotary = named.get("position_embedding"), named["encoder"].rotary
    if not rotary:
        return {"position_embedding": added.kind if added else "none"}
    reference = rotary.get("reference_grid_size")
    return {
        "position_embedding": "learned_rotary" if added else "rotary",
        "rotary_base": rotary["base"],
        "rotary_grid_size": reference and tuple(reference),
    }


def _head(named):
    pooling, head = named["pooling"], named.get("head")
    if head is not None and not isinstance(head, keras.layers.Dense):
        raise AttributeError("a dense head")
    return {
        "pooling": "map" if isinstance(pooling, layers.AttentionPooling) else pooling.mode,
        "norm_pooled": "pooled_norm" in named,
        "num_classes": head.units if head else 0,
        "head_bias": head.use_bias if head else True,
    }
