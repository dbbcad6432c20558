"""Multilayer perceptrons of images."""

from collections.abc import Callable

import keras

from keras_vit.constraints import checked
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import DType, PixelPair, Rate, Seed
from keras_vit.models.arguments import Channels, HiddenSize, NumClasses, PerChannel
from keras_vit.models.image_input import image_input, pixel_scaling


@checked
def mlp(
    *,
    image_size: PixelPair = 28,
    num_classes: NumClasses = 10,
    channels: Channels = 1,
    hidden_dims: HiddenSize | tuple[HiddenSize, ...] | list[HiddenSize] = (1024,),
    activation: str | Callable = "relu",
    dropout_rate: Rate = 0.0,
    pixel_mean: PerChannel = 0.0,
    pixel_std: PerChannel = 1.0,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "mlp",
) -> keras.Sequential:
    """Builds a multilayer perceptron for images in [0, 255]; scaling is inside.

    Args:
        image_size: int or `(height, width)` in pixels.
        num_classes: int.
        channels: int, 3 for colour and 1 for greyscale.
        hidden_dims: tuple of ints, the size of each hidden layer; or int, of the only one.
        activation: a Keras activation of the hidden layers, such as `"tanh"` or `"relu"`, or a callable.
        dropout_rate: float in [0, 1], after each hidden layer.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. The defaults give [0, 1].
        seed: int or None, of the initial weights and all dropouts.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A `keras.Sequential` from `(batch, height, width, channels)` to logits `(batch, num_classes)`.

    Raises:
        InputError: an unknown activation, or sizes that are none.

    Example:
        >>> mlp(activation="tanh").count_params()
        814090

    Reference: Rumelhart et al. 1986, https://doi.org/10.1038/323533a0
    """
    hidden_dims = (hidden_dims,) if isinstance(hidden_dims, int) else tuple(hidden_dims)
    seeds = layer_seeds(seed)
    model = keras.Sequential(name=name)
    model.add(image_input(image_size, channels))
    model.add(pixel_scaling(pixel_mean, pixel_std, channels, dtype))
    model.add(keras.layers.Flatten(dtype=dtype, name="flatten"))
    for index, units in enumerate(hidden_dims):
        model.add(_dense(units, activation, seeds, dtype, f"dense_{index}"))
        dropout = keras.layers.Dropout(dropout_rate, seed=next(seeds), dtype=dtype, name=f"dropout_{index}")
        model.add(dropout)
    model.add(_dense(num_classes, None, seeds, "float32", "head"))
    return model


def _dense(units, activation, seeds, dtype, name):
    kernel = keras.initializers.GlorotUniform(next(seeds))
    return keras.layers.Dense(units, activation, kernel_initializer=kernel, dtype=dtype, name=name)
