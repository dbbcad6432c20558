"""Models that return the outputs of inner layers."""

import keras

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.layers import TransformerEncoder
from keras_vit.models import num_prefix_tokens
from keras_vit.models.inspection import find_layer
from keras_vit.models.rollout import map_grid


@checked
def features(model: keras.Model, layers: list[int | str] | tuple[int | str, ...]) -> keras.Model:
    """Returns a model that returns the outputs of chosen blocks and layers; the weights are shared.

    Args:
        model: `keras.Model` with one `TransformerEncoder` among its layers.
        layers: list of ints, blocks counted from 0 (negative from the end), and of names of layers of the
            model, such as `"pooling"` for the input of the head.

    Returns:
        A `keras.Model` from images to a list: `(batch, tokens, hidden_dim)` for a block, whose first tokens
        are class token and registers (`keras_vit.models.num_prefix_tokens`); the layer's output for a name.

    Raises:
        InputError: `layers` is not a list, or the model has no encoder or no such block or layer.

    Example:
        >>> import keras_vit
        >>> model = keras_vit.models.vit("Ti/16", image_size=32, num_classes=10)
        >>> last, pooled = keras_vit.pretrained.features(model, [-1, "pooling"]).output
        >>> last.shape, pooled.shape
        ((None, 5, 192), (None, 192))
    """
    if not layers:
        raise InputError("Expected at least one block or name of a layer, received none.")
    encoder = find_layer(model, TransformerEncoder)
    if encoder is None:
        raise InputError(f"features() needs a model with a TransformerEncoder; {model.name!r} has none.")
    x, blocks = encoder.input, []
    for index, block in enumerate(encoder.blocks):
        x = encoder.reducer(x) if encoder.reduces_before(index) else x
        blocks.append(x := block(x))
    outputs = [_output(model, blocks, layer) for layer in layers]
    return keras.Model(model.inputs[0], outputs, name=f"{model.name}_features")


@checked
def patch_features(model: keras.Model, layer: int | str = "encoder") -> keras.Model:
    """Returns a model that returns the features of the patches as a map, for dense tasks.

    Args:
        model: `keras.Model` built by `keras_vit.models.vit` or `load`.
        layer: int, a block as in `features`, or str, the name of a layer that returns all tokens. Default:
            after all blocks and the last normalization.

    Returns:
        A `keras.Model` from images to `(batch, rows, columns, hidden_dim)`.

    Raises:
        InputError: as `features`, or the layer does not return all tokens.

    Example:
        >>> import keras_vit
        >>> model = keras_vit.models.vit("Ti/16", image_size=32, num_classes=10)
        >>> keras_vit.pretrained.patch_features(model).output_shape
        (None, 2, 2, 192)
    """
    tokens = features(model, [layer])
    x = keras.tree.flatten(tokens.output)[0]
    (rows, columns), prefix = map_grid(model), num_prefix_tokens(model)
    if x.shape[1:-1] != (prefix + rows * columns,):
        raise InputError(
            f"Expected a block or a layer that returns all tokens, such as 'encoder', received {layer!r}."
        )
    x = keras.ops.reshape(x[:, prefix:], (-1, rows, columns, x.shape[-1]))
    return keras.Model(tokens.inputs[0], x, name=f"{model.name}_patch_features")


def _output(model, blocks, layer):
    if isinstance(layer, int) and -len(blocks) <= layer < len(blocks):
        return blocks[layer]
    names = [one.name for one in model.layers]
    if layer in names:
        return model.get_layer(layer).output
    raise InputError(
        f"Expected blocks from {-len(blocks)} to {len(blocks) - 1} or names among {', '.join(names)}, "
        f"received {layer!r}."
    )
