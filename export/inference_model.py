"""The form of a trained model that is shipped."""

import keras


def inference_model(model):
    """Returns the model in float32 with softmax at its end.

    A model trained in mixed precision computes in bfloat16 and does not convert; its weights are float32
    all the same, so that the same layers are built anew in float32.

    Args:
        model: functional or Sequential `keras.Model` that gives logits `(batch, num_classes)`.

    Returns:
        A `keras.Model` from the same images to probabilities `(batch, num_classes)`.
    """

    def in_float32(layer):
        config = layer.get_config()
        if not isinstance(layer, keras.layers.InputLayer):
            config["dtype"] = "float32"
        return layer.__class__.from_config(config)

    clone = keras.models.clone_model(model, clone_function=in_float32)
    clone.set_weights(model.get_weights())
    probabilities = keras.layers.Softmax(name="probabilities", dtype="float32")(clone.outputs[0])
    return keras.Model(clone.inputs[0], probabilities, name=model.name)
