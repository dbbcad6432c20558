"""Plain convolutional networks."""

from collections.abc import Callable
from typing import NamedTuple

import keras

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import DType, PixelPair, Rate, Seed
from keras_vit.models.arguments import Channels, HiddenSize, NumClasses, PerChannel, variant_row
from keras_vit.models.image_input import image_input, pixel_scaling


class CNNSize(NamedTuple):
    """One row of the table: what a variant's name fixes."""

    kernel_size: int
    filters: tuple[tuple[int, ...], ...]  # of each convolution, in a tuple for each block
    hidden_dim: int  # of the dense layer
    conv_dropout_rate: float
    dropout_rate: float


SIZES = {
    # Two blocks of two small convolutions, after VGG: https://arxiv.org/abs/1409.1556, section 2
    "3x3": CNNSize(3, ((32, 32), (64, 64)), 512, 0.25, 0.5),
    # Three blocks of one large convolution, after LeNet-5: https://doi.org/10.1109/5.726791, figure 2
    "5x5": CNNSize(5, ((32,), (64,), (64,)), 1000, 0.0, 0.0),
}


@checked
def cnn(
    variant: str = "3x3",
    *,
    image_size: PixelPair = 32,
    num_classes: NumClasses = 10,
    channels: Channels = 3,
    hidden_dim: HiddenSize | None = None,
    batch_norm: bool = False,
    activation: str | Callable = "relu",
    conv_dropout_rate: Rate | None = None,
    dropout_rate: Rate | None = None,
    pixel_mean: PerChannel = 0.0,
    pixel_std: PerChannel = 1.0,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "cnn",
) -> keras.Sequential:
    """Builds a convolutional network for images in [0, 255]; scaling is inside.

    Args:
        variant: `"3x3"`: two blocks of two convolutions, with 32 and 64 filters, and a dense layer of 512.
            `"5x5"`: three blocks of one convolution, with 32, 64 and 64 filters, and a dense layer of 1000.
            Each block ends in a max-pooling that halves the image.
        image_size: int or `(height, width)` in pixels.
        num_classes: int.
        channels: int, 3 for colour and 1 for greyscale.
        hidden_dim: int, of the dense layer; overrides the variant's, as the dropout rates do.
        batch_norm: bool, batch normalisation between each convolution or dense layer and its activation.
            Those layers then have no bias, which would be subtracted again.
        activation: a Keras activation such as `"relu"`, or a callable.
        conv_dropout_rate: float in [0, 1], after each max-pooling. `"3x3"` has 0.25, `"5x5"` none.
        dropout_rate: float in [0, 1], after the dense layer. `"3x3"` has 0.5, `"5x5"` none.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. The defaults give [0, 1].
        seed: int or None, of the initial weights and all dropouts.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A `keras.Sequential` from `(batch, height, width, channels)` to logits `(batch, num_classes)`.

    Raises:
        InputError: unknown variant or option, or an image too small to be halved so often.

    Example:
        >>> cnn("5x5").count_params()
        1191170

    Reference: batch normalisation: https://arxiv.org/abs/1502.03167, section 3.2; dropout:
        https://jmlr.org/papers/v15/srivastava14a.html
    """
    rates = {"conv_dropout_rate": conv_dropout_rate, "dropout_rate": dropout_rate}
    row = variant_row("CNN", SIZES, variant, hidden_dim=hidden_dim, **rates)
    images = image_input(image_size, channels)
    _check_halved(images.shape[1:3], len(row.filters))
    seeds = layer_seeds(seed)
    model = keras.Sequential(name=name)
    model.add(images)
    model.add(pixel_scaling(pixel_mean, pixel_std, channels, dtype))
    for index, filters in enumerate(row.filters):
        for place, count in enumerate(filters):
            conv = _convolution(count, row.kernel_size, not batch_norm, seeds, dtype, f"{index}_{place}")
            _add_activated(model, conv, batch_norm, activation, dtype)
        model.add(keras.layers.MaxPooling2D(dtype=dtype, name=f"pooling_{index}"))
        model.add(_dropout(row.conv_dropout_rate, seeds, dtype, f"dropout_{index}"))
    model.add(keras.layers.Flatten(dtype=dtype, name="flatten"))
    dense = _dense(row.hidden_dim, not batch_norm, seeds, dtype, "dense")
    _add_activated(model, dense, batch_norm, activation, dtype)
    model.add(_dropout(row.dropout_rate, seeds, dtype, "dropout"))
    model.add(_dense(num_classes, True, seeds, "float32", "head"))
    return model


def _check_halved(image_size, times):
    if min(image_size) < 2**times:
        raise InputError(
            f"Expected images of at least {2**times} pixels, which are halved {times} times; received "
            f"image_size={image_size}."
        )


def _add_activated(model, layer, batch_norm, activation, dtype):
    model.add(layer)
    if batch_norm:
        model.add(keras.layers.BatchNormalization(momentum=0.9, dtype=dtype, name=f"norm_{layer.name}"))
    model.add(keras.layers.Activation(activation, dtype=dtype, name=f"activation_{layer.name}"))


def _convolution(filters, kernel_size, use_bias, seeds, dtype, place):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        dtype=dtype,
        name=f"conv_{place}",
    )


def _dense(units, use_bias, seeds, dtype, name):
    kernel = keras.initializers.GlorotUniform(next(seeds))
    return keras.layers.Dense(units, use_bias=use_bias, kernel_initializer=kernel, dtype=dtype, name=name)


def _dropout(rate, seeds, dtype, name):
    return keras.layers.Dropout(rate, seed=next(seeds), dtype=dtype, name=name)
