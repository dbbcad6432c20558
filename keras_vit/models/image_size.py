"""The same trained model for images of another size."""

import keras

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.layers import GridPooling, PatchEmbedding, PositionEmbedding, TransformerEncoder
from keras_vit.layers._options import PixelPair
from keras_vit.layers.patch_extraction import patch_grid
from keras_vit.models.inspection import find_layer
from keras_vit.pairs import as_pair


@checked
def with_image_size(model: keras.Model, image_size: PixelPair) -> keras.Model:
    """Returns the same trained Vision Transformer for another image size.

    All weights are kept as trained; a learned position embedding is resampled in each call.

    Args:
        model: a model made by `keras_vit.models.vit`, trained or loaded.
        image_size: int or `(height, width)` in pixels, a multiple of the patch. Need not be square.

    Returns:
        A new `keras.Model` with the same weights, not compiled. `model` is not changed.

    Raises:
        InputError: `model` has no patch embedding, its patch does not divide the image, or the size of one of
            its weights depends on the image.

    Example:
        >>> from keras_vit.models import vit
        >>> with_image_size(vit("Pico/2", num_classes=5), (12, 8)).input_shape
        (None, 12, 8, 3)
    """
    embedding = find_layer(model, PatchEmbedding)
    if embedding is None:
        raise InputError(f"with_image_size() needs a model with a PatchEmbedding; {model.name!r} has none.")
    shape = (None, *as_pair(image_size, "image_size"), model.input_shape[-1])
    return with_grid(model, shape, patch_grid(shape, embedding.patch_size))


def with_grid(model, image_shape, grid, patch_size=None, value_of=keras.ops.convert_to_numpy):
    """Returns a Vision Transformer for images of another shape, another grid of patches and other patches.

    `value_of` returns the value that the new model has of a weight of the old one.

    Raises:
        InputError: the size of a weight depends on the grid.
    """

    def resized(layer):
        config = layer.get_config()
        if isinstance(layer, PatchEmbedding) and patch_size is not None:
            config["patch_size"] = patch_size
        if isinstance(layer, PositionEmbedding):
            config["target_grid_size"] = grid
        if isinstance(layer, TransformerEncoder) and layer.rotary:
            config["rotary"] = {**layer.rotary, "grid_size": list(grid)}
        if isinstance(layer, TransformerEncoder) and isinstance(layer.reducer, GridPooling):
            config["reduction"] = {**layer.reduction, "grid_size": list(grid)}
        return layer.__class__.from_config(config)

    images = keras.Input(image_shape[1:], name=model.inputs[0].name)
    inputs = keras.tree.map_structure(lambda _: images, model.input)  # a list in the model of a run
    clone = keras.models.clone_model(model, input_tensors=inputs, clone_function=resized)
    for old, new in zip(model.weights, clone.weights, strict=True):
        value = value_of(old)
        if value.shape != tuple(new.shape):
            raise InputError(
                f"Expected weights that do not depend on the number of patches; {old.path!r} of "
                f"{model.name!r} has the shape {tuple(old.shape)}, and {tuple(new.shape)} for {grid[0]} x "
                f"{grid[1]} patches. Pool the tokens (TokenPooling, AttentionPooling) instead of flattening "
                "them."
            )
        new.assign(value)
    return clone
