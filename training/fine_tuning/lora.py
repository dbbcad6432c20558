"""Low-rank adaptation, by what Keras's Dense layer has for it."""

import keras

from keras_vit.layers._configured_layer import dense_layers

HEADS = ("head/", "distillation_head/")


def add_lora(model, rank):
    """Freezes a Vision Transformer but for its head, and adds to its blocks what is trained instead.

    The dense layers of attention (query, key and value, which are one, and projection) and MLP get a product
    of two thin matrices beside their kernel. Patches, positions, norms and biases stay as they are.

    Args:
        model: made by `keras_vit.models.vit`.
        rank: int, columns of the first thin matrix; its second begins at 0.

    Reference: Hu et al. 2021, https://arxiv.org/abs/2106.09685
    """
    for weight in model.trainable_weights:
        weight.trainable = weight.path.startswith(HEADS)
    model.get_layer("encoder").enable_lora(rank)


def merged(model):
    """Returns the model without thin matrices, whose kernels hold the sum; it computes the same."""
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
