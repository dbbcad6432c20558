"""A model whose outputs are divided by a number, such as a temperature."""

import keras

from keras_vit.keras_internals import is_graph, source_of

NAME = "temperature"  # of the layer that divides, where the last one cannot


def divided(model: keras.Model, temperature: float) -> keras.Model:
    """Returns a model whose one output is divided by a number.

    The weights of a last dense layer, which is changed, do that without any computation; behind other layers
    the output is multiplied.
    """
    if temperature == 1:
        return model
    last = source_of(model.outputs[0])[0] if is_graph(model) else None
    is_plain = type(last) is keras.layers.Dense and last.activation is keras.activations.linear
    if is_plain and last.quantization_mode is None and not last.lora_enabled and last in model.layers:
        for weight in last.weights:
            weight.assign(weight / temperature)
        return model
    scaled = keras.layers.Rescaling(1 / temperature, dtype="float32", name=NAME)(model.outputs[0])
    return keras.Model(model.inputs, scaled, name=model.name)
