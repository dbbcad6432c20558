"""Linear classifiers of images."""

import keras

from keras_vit.constraints import checked
from keras_vit.layers._options import DType, PixelPair, Seed
from keras_vit.models.arguments import Channels, NumClasses, PerChannel
from keras_vit.models.mlp import mlp


@checked
def linear(
    *,
    image_size: PixelPair = 28,
    num_classes: NumClasses = 10,
    channels: Channels = 1,
    pixel_mean: PerChannel = 0.0,
    pixel_std: PerChannel = 1.0,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "linear",
) -> keras.Sequential:
    """Builds a linear classifier for images in [0, 255]; scaling is inside.

    What its logits are trained with decides what it is: with cross-entropy it is softmax regression, with
    `keras.losses.CategoricalHinge()` a linear support vector machine for many classes: the right logit is to
    exceed each other one, and 0, by 1. That loss needs one-hot labels without smoothing; the penalty on large
    weights, which makes the margin wide, is the optimizer's weight decay.

    Args:
        image_size: int or `(height, width)` in pixels.
        num_classes: int.
        channels: int, 3 for colour and 1 for greyscale.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. The defaults give [0, 1].
        seed: int or None, of the initial weights.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A `keras.Sequential` from `(batch, height, width, channels)` to logits `(batch, num_classes)`.

    Raises:
        InputError: sizes that are none.

    Example:
        >>> linear().count_params()
        7850

    Reference: Crammer and Singer 2001, equation 6, https://jmlr.org/papers/v2/crammer01a.html
    """
    return mlp(hidden_dims=(), **locals())
