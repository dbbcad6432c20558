"""The form of a trained model that computes in float32, without low-rank additions."""

import contextlib

import keras

from keras_vit.errors import InputError, listed
from keras_vit.keras_internals import all_layers, is_graph

LOW_PRECISION = ("float16", "bfloat16")
_POLICIES = (*LOW_PRECISION, "mixed_float16", "mixed_bfloat16")


@contextlib.contextmanager
def computing_in_float32(model):
    """Yields a model of the same function that computes in float32, and leaves the given one as it was.

    That is the model itself, a copy (see `in_float32`), or, where a subclass has no configuration to build a
    copy from, the model with float32 as the policy of each layer until the block ends.
    """
    if is_float32(model) or is_graph(model):
        yield in_float32(model)
        return
    _check_not_quantized(model)
    policies = [(layer, layer.dtype_policy) for layer in all_layers(model)]
    try:
        for layer, _ in policies:
            layer.dtype_policy = "float32"
        yield model
    finally:
        for layer, policy in policies:
            layer.dtype_policy = policy


def is_float32(model):
    """Whether no layer computes in another precision, is quantized, or has low-rank additions."""
    return not any(map(_is_changed, all_layers(model)))


def in_float32(model):
    """Returns a functional or Sequential model that computes in float32: itself, or a copy with its weights.

    In the copy low-rank weights are merged into the kernels that they change.
    """
    if is_float32(model):
        return model
    _check_not_quantized(model)
    with _float32_by_default():
        copy = keras.models.clone_model(model, clone_function=_rebuilt)
    for layer, same in zip(all_layers(model), all_layers(copy), strict=True):
        _copy_weights(layer, same)
    return copy


def _is_changed(layer):
    return layer.compute_dtype in LOW_PRECISION or _is_quantized(layer) or _has_lora(layer)


def _is_quantized(layer):
    return getattr(layer, "quantization_mode", None) is not None


def _has_lora(layer):
    return getattr(layer, "lora_enabled", False)


def _check_not_quantized(model):
    names = [layer.name for layer in all_layers(model) if _is_quantized(layer)]
    if names:
        raise InputError(
            f"Expected float weights, but Keras has quantized {listed(names, 3)} in {model.name!r}. Export "
            "the model before it is quantized: the variant dynamic_int8 has int8 weights."
        )


def _copy_weights(layer, copy):
    """Copies the weights that a layer holds itself; a kernel includes its low-rank addition."""
    own, others = _own_weights(layer), _own_weights(copy)
    if _has_lora(layer):
        own = [w for w in own if not w.name.startswith("lora_")]
    if [weight.shape for weight in own] != [weight.shape for weight in others]:
        raise InputError(
            f"Expected {layer.name} ({type(layer).__name__}) to have the same weights when it is built again "
            f"in float32, received {[w.shape for w in others]} for {[w.shape for w in own]}. Its get_config "
            "must return all arguments of its constructor."
        )
    for weight, other in zip(own, others, strict=True):
        merged = _has_lora(layer) and weight.name in ("kernel", "embeddings")
        other.assign(getattr(layer, weight.name) if merged else weight)


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
