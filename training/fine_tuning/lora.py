"""Low-rank adaptation, by what Keras's Dense layer has for it."""

import keras

from keras_vit.keras_internals import child_layers
from keras_vit.layers import MLP, SelfAttention

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
    for layer in _dense_layers(model):
        layer.enable_lora(rank)


def merged(model):
    """Returns the model without thin matrices, whose kernels hold the sum; it computes the same."""
    plain = keras.models.clone_model(keras.Model(model.inputs, model.outputs, name=model.name))
    kernels = {layer.path: layer.kernel for layer in _dense_layers(model)}
    weights = {weight.path: weight for weight in model.weights}
    for weight in plain.weights:
        layer, _, name = weight.path.rpartition("/")
        is_adapted = name == "kernel" and layer in kernels
        weight.assign(kernels[layer] if is_adapted else weights[weight.path])
    return plain


def _dense_layers(model):
    for block in model.get_layer("encoder").blocks:
        for layer in child_layers(block):
            if isinstance(layer, SelfAttention):
                yield from (layer.qkv, layer.projection)
            if isinstance(layer, MLP):
                yield from (layer.expansion, layer.projection)
