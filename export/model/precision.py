"""The form of a trained model that computes in float32, without low-rank additions."""

import contextlib

import keras

from keras_vit.errors import InputError, Notice, listed, warn
from keras_vit.keras_internals import all_layers, dequantized, is_graph

INT8 = "int8"
OTHER_PRECISION = ("float16", "bfloat16", "float64")
_POLICIES = (*OTHER_PRECISION, "mixed_float16", "mixed_bfloat16")


@contextlib.contextmanager
def computing_in_float32(model):
    """Yields a model of the same function that computes in float32, and leaves the given one as it was.

    That is the model itself, a copy (see `in_float32`), or, of a model that cannot be built again, the model
    with float32 as the policy of each layer until the block ends.
    """
    copy = _copy_or_none(model)
    if copy is not None:
        yield copy
        return
    check_not_quantized(model, "which cannot be built again")
    policies = [(layer, layer.dtype_policy) for layer in all_layers(model)]
    try:
        for layer, _ in policies:
            layer.dtype_policy = "float32"
        model.predict_function = None  # else graphs of an earlier `predict` are used, in their precision
        yield model
    finally:
        for layer, policy in policies:
            layer.dtype_policy = policy
        model.predict_function = None


def _copy_or_none(model):
    if is_float32(model):
        return model
    try:
        return in_float32(model) if is_graph(model) else None
    except InputError:  # a layer's configuration is not enough to build it again
        return None


def is_float32(model):
    """Whether no layer computes in another precision, is quantized, or has low-rank additions."""
    return not any(
        layer.compute_dtype in OTHER_PRECISION or _mode(layer) == INT8 or _has_lora(layer)
        for layer in all_layers(model)
    )


def in_float32(model):
    """Returns a functional or Sequential model that computes in float32: itself, or a copy with its weights.

    In the copy low-rank weights are merged into the kernels that they change, and a quantization to int8 by
    Keras is undone, which a `Notice` reports: its weights are the values that the integers stand for. Other
    quantizations stay as they are in a model that needs no copy.
    """
    if is_float32(model):
        return model
    undone = [layer.name for layer in all_layers(model) if _mode(layer) == INT8]
    if undone:
        message = (
            f"model.quantize is undone in the files, for {listed(undone, 3)}: their weights are the values "
            "of the int8 numbers, in float. The variant dynamic_int8 has int8 weights."
        )
        warn(message, Notice)
    with _float32_by_default():
        copy = keras.models.clone_model(model, clone_function=_rebuilt)
    for layer, same in zip(all_layers(model), all_layers(copy), strict=True):
        _copy_weights(layer, same)
    return copy


def _mode(layer):
    return getattr(layer, "quantization_mode", None)


def _has_lora(layer):
    return getattr(layer, "lora_enabled", False)


def check_not_quantized(model, kind):
    """Raises InputError where a layer is quantized in a model of a kind in which this cannot be undone."""
    names = [layer.name for layer in all_layers(model) if _mode(layer)]
    if names:
        raise InputError(
            f"Expected float weights, but Keras has quantized {listed(names, 3)} in {model.name!r}, {kind}. "
            "Export the model before it is quantized: the variant dynamic_int8 has int8 weights."
        )


def _copy_weights(layer, copy):
    """Copies the weights that a layer holds itself; a kernel includes its low-rank addition."""
    own, others = _own_weights(layer), _own_weights(copy)
    if _has_lora(layer) or _mode(layer) == INT8:
        named = {weight.name: weight for weight in own}  # besides scales and low-rank matrices
        own = [named[weight.name] for weight in others if weight.name in named]
    if [weight.shape for weight in own] != [weight.shape for weight in others]:
        raise InputError(
            f"Expected {layer.name} ({type(layer).__name__}) to have the same weights when it is built again "
            f"in float32, received {[w.shape for w in others]} for {[w.shape for w in own]}. Its get_config "
            "must return all arguments of its constructor."
        )
    for weight, other in zip(own, others, strict=True):
        other.assign(weight if weight.name == "bias" else _plain(layer, weight))


def _plain(layer, weight):
    """The values that a weight stands for."""
    if _mode(layer) == INT8:
        return dequantized(layer)
    return getattr(layer, weight.name) if _has_lora(layer) else weight  # Keras adds the low-rank product


def _own_weights(layer):
    inner = {id(weight) for child in all_layers(layer)[1:] for weight in child.weights}
    return [weight for weight in layer.weights if id(weight) not in inner]


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
    """The config, also of layers within layers, with float32 for every dtype policy and no low-rank part."""
    if isinstance(config, list | tuple):
        return type(config)(map(_in_float32, config))
    if not isinstance(config, dict):
        return config
    dtype = config.get("dtype")
    is_policy = isinstance(dtype, dict) or dtype in _POLICIES
    added = ("lora_rank", "lora_alpha", "quantization_config")
    config = {key: _in_float32(value) for key, value in config.items() if key not in added}
    return config | {"dtype": "float32"} if is_policy else config
