"""The form of a trained model for export: in float32, with softmax."""

import contextlib

import keras

from keras_vit.errors import InputError
from keras_vit.keras_internals import source_inputs, source_of

_UNCHANGING = ("cast", "identity", "reshape", "flatten", "dropout")
_LOW_PRECISION = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def inference_model(model: keras.Model) -> keras.Model:
    """Returns a model of logits `(batch, num_classes)` in float32 with softmax at its end.

    A model trained in mixed precision computes in bfloat16 and does not convert; its weights are float32, so
    that the same layers are built again in float32. Any other kind of model is an InputError.
    """
    check_classifier(model)
    ending = _ending(model.outputs[0])
    if ending in ("softmax", "sigmoid"):
        raise InputError(
            f"Expected a model that returns logits, but {model.name} ends in {ending}. Leave it out: "
            "softmax is added."
        )
    clone = in_float32(model)
    with _float32_by_default():
        probabilities = keras.layers.Softmax(name="probabilities")(clone.outputs[0])
        return keras.Model(clone.inputs[0], probabilities, name=model.name)


def in_float32(model):
    """Returns a functional or Sequential model's copy that computes in float32, with the same weights."""
    with _float32_by_default():
        clone = keras.models.clone_model(model, clone_function=_rebuilt)
    if [weight.shape for weight in clone.weights] != [weight.shape for weight in model.weights]:
        raise InputError(
            f"Expected a model with float weights only, received {model.name!r}, which has the weights of "
            "quantize or enable_lora. Export the model before it is quantized, with LoRA weights merged."
        )
    clone.set_weights(model.get_weights())
    return clone


def check_classifier(model):
    """Raises InputError unless a model goes from one image of fixed size to a row of classes."""
    if not getattr(model, "inputs", None):
        raise InputError(f"Expected a functional or Sequential model, received {type(model).__name__}.")
    if len(model.inputs) != 1 or len(model.input_shape) != 4 or None in model.input_shape[1:]:
        raise InputError(f"Expected a model of one image input of fixed size, received {model.input_shape}.")
    if len(model.outputs) != 1 or len(model.output_shape) != 2 or (model.output_shape[1] or 0) < 2:
        raise InputError(
            f"Expected a model of one output (batch, num_classes), received {model.output_shape}."
        )


def _ending(tensor):
    """The name of the function that computes a tensor, ignoring casts and reshapes after it."""
    operation, index = source_of(tensor)
    within = getattr(operation, "outputs", None)
    if within:  # a model within the model
        return _ending(within[index])
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(operation).__name__).lower()
    passes = name in _UNCHANGING or name == "linear" and isinstance(operation, keras.layers.Activation)
    return _ending(source_inputs(tensor)[0]) if passes else name


@contextlib.contextmanager
def _float32_by_default():
    """Sets the policy of layers that do not inherit one, and of the model itself."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _rebuilt(layer):
    try:
        return layer.__class__.from_config(_in_float32(layer.get_config()))
    except Exception as error:  # a Lambda's code, or a layer of others, which may raise anything
        raise InputError(
            f"{layer.name} ({type(layer).__name__}) cannot be built again from its configuration. Write a "
            "keras.layers.Layer whose get_config returns all arguments of its constructor."
        ) from error


def _in_float32(config):
    """The config, also of layers within layers, with float32 for every dtype policy."""
    if isinstance(config, list | tuple):
        return type(config)(map(_in_float32, config))
    if not isinstance(config, dict):
        return config
    dtype = config.get("dtype")
    is_policy = isinstance(dtype, dict) or dtype in _LOW_PRECISION
    config = {key: _in_float32(value) for key, value in config.items()}
    return config | {"dtype": "float32"} if is_policy else config
