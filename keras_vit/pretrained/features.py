"""What a model's inner layers say about images."""

import keras

from keras_vit.errors import InputError
from keras_vit.layers import TransformerEncoder
from keras_vit.models import num_prefix_tokens
from keras_vit.models.rollout import map_grid


def features(model, layers):
    """Returns a model that gives the outputs of chosen blocks; the weights are shared.

    Args:
        model: a model with one `TransformerEncoder` among its layers.
        layers: ints, blocks counted from 0 (negative from the end), and names of layers of the model,
            such as `"pooling"` for what the head reads.

    Returns:
        A `keras.Model` from images to a list: `(batch, tokens, hidden_dim)` for a block, whose first tokens
        are class token and registers (`keras_vit.models.num_prefix_tokens`); a layer's output for a name.

    Raises:
        InputError: no encoder, no such block or layer, or no list of them.
    """
    if not isinstance(layers, (list, tuple)) or not layers:
        raise InputError(f"Expected a list of blocks or names of layers, received {layers!r}.")
    encoder = next((layer for layer in model.layers if isinstance(layer, TransformerEncoder)), None)
    if encoder is None:
        raise InputError(f"features() needs a model with a TransformerEncoder; {model.name!r} has none.")
    blocks = _block_outputs(encoder)
    outputs = [_output(model, blocks, layer) for layer in layers]
    return keras.Model(model.inputs[0], outputs, name=f"{model.name}_features")


def patch_features(model, layer="encoder"):
    """Returns a model that gives the features of the patches as a map, for dense tasks.

    Args:
        model: a Vision Transformer made by `keras_vit.models.vit` or `load`.
        layer: int, a block as in `features`, or the name of a layer that gives all tokens. Default: after
            all blocks and the last normalisation.

    Returns:
        A `keras.Model` from images to `(batch, rows, columns, hidden_dim)`.

    Raises:
        InputError: as `features`, or the layer does not give all tokens.
    """
    tokens = features(model, [layer])
    x = keras.tree.flatten(tokens.output)[0]
    (rows, columns), prefix = map_grid(model), num_prefix_tokens(model)
    if x.shape[1:-1] != (prefix + rows * columns,):
        raise InputError(
            f"Expected a block or a layer that gives all tokens, such as 'encoder', not {layer!r}."
        )
    x = keras.ops.reshape(x[:, prefix:], (-1, rows, columns, x.shape[-1]))
    return keras.Model(tokens.inputs[0], x, name=f"{model.name}_patch_features")


def _block_outputs(encoder):
    x, outputs = encoder.input, []
    for block in encoder.blocks:
        x = block(x)
        outputs.append(x)
    return outputs


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
