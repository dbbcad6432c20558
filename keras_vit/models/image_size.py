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
    channels = model.input_shape[-1]
    height, width = as_pair(image_size, "image_size")
    grid = patch_grid((None, height, width, channels), embedding.patch_size)

    def resized(layer):
        config = layer.get_config()
        if isinstance(layer, PositionEmbedding):
            config["target_grid_size"] = grid
        if isinstance(layer, TransformerEncoder) and layer.rotary:
            config["rotary"] = {**layer.rotary, "grid_size": list(grid)}
        if isinstance(layer, TransformerEncoder) and isinstance(layer.reducer, GridPooling):
            config["reduction"] = {**layer.reduction, "grid_size": list(grid)}
        return layer.__class__.from_config(config)

    images = keras.Input((height, width, channels), name=model.inputs[0].name)
    clone = keras.models.clone_model(model, input_tensors=images, clone_function=resized)
    for old, new in zip(model.weights, clone.weights, strict=True):
        if old.shape != new.shape:
            raise InputError(
                f"Expected weights that do not depend on the image size; {old.path!r} of {model.name!r} has "
                f"the shape {tuple(old.shape)}, and {tuple(new.shape)} for image_size={(height, width)}. "
                "Pool the tokens (TokenPooling, AttentionPooling) instead of flattening them."
            )
        new.assign(old)
    return clone
