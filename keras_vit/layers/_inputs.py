"""Checks what a layer is called on, so that an error names the layer and the axes that it needs."""

import keras

from keras_vit.errors import InputError


def check_input(layer, x):
    """Raises InputError for a tensor of other axes or type, or of another width than the layer's weights."""
    owner, axes, shape = f"{type(layer).__name__} {layer.name!r}", layer.axes, getattr(x, "shape", None)
    if shape is None or not _fits(shape, axes):
        received = f"{x!r:.80}" if shape is None else tuple(shape)
        raise InputError(
            f"{owner} expected x of shape ({', '.join(axes)}), received {received}. Reshape it to these "
            f"axes, with a known {axes[-1]}."
        )
    dtype = keras.backend.standardize_dtype(x.dtype)
    if "length" in axes and "float" not in dtype:
        raise InputError(f"{owner} expected floats, received {dtype}. Cast x, or embed tokens first.")
    built = (layer.get_build_config() or {}).get("input_shape") if layer.built else None
    if built and shape[-1] != built[-1] and layer.weights:
        raise InputError(
            f"{owner} was built for {axes[-1]}={built[-1]}, received x of shape {tuple(shape)}. Convert x, "
            "or use another layer or model for it."
        )


def _fits(shape, axes):
    fits = len(shape) >= len(axes) - 1 if "..." in axes else len(shape) == len(axes)
    return fits and (shape[-1] is not None or axes[-1] != "hidden_dim")
