"""Low-rank adaptation, by what Keras's Dense layer has for it."""

import keras

from keras_vit.layers._configured_layer import dense_layers
from keras_vit.pretrained.load import HEAD_PREFIXES


def add_lora(model: keras.Model, rank: int) -> None:
    """Freezes a `keras_vit.models.vit` except its head, and adds trainable low-rank matrices to its blocks.

    The dense layers of attention (query, key and value, which are one, and projection) and MLP get a product
    of two matrices of `rank` columns and rows next to their kernel; the second starts at 0.

    Reference: Hu et al. 2021, https://arxiv.org/abs/2106.09685
    """
    for weight in model.trainable_weights:
        weight.trainable = weight.path.startswith(HEAD_PREFIXES)
    model.get_layer("encoder").enable_lora(rank)


def merged(model: keras.Model) -> keras.Model:
    """Returns a model that computes the same without low-rank matrices: its kernels contain the sum."""
    plain = keras.Model(model.inputs, model.outputs, name=model.name)
    plain = keras.models.clone_model(plain, clone_function=_without_lora)
    kernels = {layer.path: layer.kernel for layer in dense_layers(model.get_layer("encoder"))}
    weights = {weight.path: weight for weight in model.weights}
    for weight in plain.weights:
        layer, _, name = weight.path.rpartition("/")
        is_adapted = name == "kernel" and layer in kernels
        weight.assign(kernels[layer] if is_adapted else weights[weight.path])
    return plain


def _without_lora(layer):
    config = layer.get_config()
    for settings in config.get("inner_layers", {}).values():
        settings.pop("lora_rank", None)
        settings.pop("lora_alpha", None)
    return type(layer).from_config(config)
