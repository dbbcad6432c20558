"""A model whose outputs are calibrated: what `keras_vit.io.output_meaning.calibrated` computes, in layers."""

import keras

from keras_vit.export.variants import SHARPENING
from keras_vit.keras_internals import is_graph, source_of

TEMPERATURE = "temperature"  # the layer that divides, where the last one cannot


def calibrated(model: keras.Model, temperature: float, sharpening: float = 0.0) -> keras.Model:
    """Returns a model whose one output is calibrated.

    The weights of a last dense layer, which is changed, divide without any computation, and take logits from
    their mean; behind other layers this is computed.
    """
    if temperature == 1 and not sharpening:
        return model
    last = _last_dense(model)
    if last is not None:
        for weight in last.weights:
            mean = keras.ops.mean(weight, axis=-1, keepdims=True) if sharpening else 0.0
            weight.assign((weight - mean) / temperature)
    elif temperature != 1:
        scaled = keras.layers.Rescaling(1 / temperature, dtype="float32", name=TEMPERATURE)(model.outputs[0])
        model = keras.Model(model.inputs, scaled, name=model.name)
    if not sharpening:
        return model
    # Of logits divided by the temperature T, the largest is T times too small, and so is the product.
    sharper = Sharpening(sharpening * temperature**2, last is None, dtype="float32", name=SHARPENING)
    return keras.Model(model.inputs, sharper(model.outputs[0]), name=model.name)


def _last_dense(model):
    """The dense layer that a model ends in, if its weights can be changed."""
    last = source_of(model.outputs[0])[0] if is_graph(model) else None
    is_plain = type(last) is keras.layers.Dense and last.activation is keras.activations.linear
    if is_plain and last.quantization_mode is None and not last.lora_enabled and last in model.layers:
        return last
    return None


@keras.saving.register_keras_serializable(package="keras_vit")
class Sharpening(keras.layers.Layer):
    """Multiplies logits by `1 + factor * the largest`, both from their mean, so that their order stays.

    Args:
        factor: float, at least 0.
        centre: bool, whether to take the mean away; False for logits whose mean is 0.
    """

    def __init__(self, factor, centre=True, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.centre = factor, centre

    def call(self, logits):
        if self.centre:
            logits = logits - keras.ops.mean(logits, axis=-1, keepdims=True)
        classes = logits.shape[-1]
        columns = keras.ops.reshape(logits, (-1, classes, 1))
        largest = keras.ops.max_pool(columns, classes)  # ai-edge-quantizer leaves REDUCE_MAX in float
        return logits * (1 + self.factor * keras.ops.reshape(largest, (-1, 1)))

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "centre": self.centre}
