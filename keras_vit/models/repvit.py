"""RepViT: depthwise and pointwise convolutions in the arrangement of a Vision Transformer's blocks."""

from typing import Annotated, NamedTuple

import keras

from keras_vit.constraints import Choices, Range, checked
from keras_vit.layers import ReparametrizedDepthwise
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import DType, PixelPair, Rate, Seed
from keras_vit.models.arguments import Channels, PerChannel, variant_row
from keras_vit.models.batch_normalized import BatchNormalized, check_halved, heads
from keras_vit.models.image_input import image_input, pixel_scaling


class RepViTSize(NamedTuple):
    """One row of the table: what a variant's name fixes."""

    filters: tuple[int, ...]  # of each stage; all except the first start by halving the image
    num_layers: tuple[int, ...]  # blocks of each stage, without the one that halves
    stem_strides: tuple[int, int]
    image_size: int  # pixels, when none is given


SIZES = {
    # Table 1 of the paper, and the reference implementation
    "M0.9": RepViTSize((48, 96, 192, 384), (2, 2, 14, 2), (2, 2), 224),
    "M1.0": RepViTSize((56, 112, 224, 448), (2, 2, 14, 2), (2, 2), 224),
    "M1.1": RepViTSize((64, 128, 256, 512), (2, 2, 12, 2), (2, 2), 224),
    "M1.5": RepViTSize((64, 128, 256, 512), (4, 4, 24, 4), (2, 2), 224),
    "M2.3": RepViTSize((80, 160, 320, 640), (6, 6, 34, 2), (2, 2), 224),
    # For small images, ours: the stem keeps or halves them
    "Micro": RepViTSize((64, 128, 256), (2, 4, 2), (1, 2), 32),
    "Pico": RepViTSize((32, 64), (1, 1), (1, 2), 16),
}


@checked
def repvit(
    variant: str = "M0.9",
    *,
    image_size: PixelPair | None = None,
    num_classes: Annotated[int, Range(0)] = 1000,
    channels: Channels = 3,
    activation: Annotated[str, Choices("gelu", "relu")] = "gelu",
    distillation_head: bool = False,
    dropout_rate: Rate = 0.0,
    pixel_mean: PerChannel = 0.5,
    pixel_std: PerChannel = 0.5,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "repvit",
) -> keras.Model:
    """Builds a RepViT for images in [0, 255]; scaling is inside.

    A block mixes places by a depthwise convolution with two shortcuts (`ReparametrizedDepthwise`, one
    convolution in a file), in every other block weights channels by their means (squeeze and excitation), and
    mixes channels by two convolutions of one pixel.

    Args:
        variant: str, `"M0.9"`, `"M1.0"`, `"M1.1"`, `"M1.5"` or `"M2.3"` as published for images of 224
            pixels, or `"Micro"`, `"Pico"` for small images.
        image_size: int or `(height, width)` in pixels. Default: the variant's, 224, 32 or 16.
        num_classes: int. 0 leaves out the head: the model returns what was pooled.
        channels: int, 3 for colour and 1 for greyscale.
        activation: `"gelu"` as published, or `"relu"`.
        distillation_head: bool, a second head; the logits are the mean of both (as trained with a teacher).
        dropout_rate: float in [0, 1], before the heads.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. Default 0.5, which makes [0, 255] into [-1, 1].
        seed: int or None, of the initial weights and the dropout.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A functional `keras.Model` from `(batch, height, width, channels)` to logits
        `(batch, num_classes)`; without a head the pooled features.

    Raises:
        InputError: unknown variant or option, or an image so small that a stage has less than one place.

    Example:
        >>> repvit("Pico", num_classes=10).output_shape
        (None, 10)

    Reference: Wang et al. 2023, https://arxiv.org/abs/2307.09283; squeeze and excitation: Hu et al. 2018,
        https://arxiv.org/abs/1709.01507
    """
    row = variant_row("RepViT", SIZES, variant, image_size=image_size)
    images = image_input(row.image_size, channels)
    halvings = sum(strides == 2 for strides in row.stem_strides) + len(row.filters) - 1
    check_halved(images.shape[1:3], halvings)
    build = BatchNormalized(layer_seeds(seed), dtype, activation)
    x = pixel_scaling(pixel_mean, pixel_std, channels, dtype)(images)
    x = build.convolution(x, row.filters[0] // 2, 3, row.stem_strides[0], "stem_0")
    x = build.convolution(build.activated(x, "stem"), row.filters[0], 3, row.stem_strides[1], "stem_1")
    for stage, filters in enumerate(row.filters):
        x = _halved(build, x, filters, f"{stage}_halving") if stage > 0 else x
        for index in range(row.num_layers[stage]):
            x = _block(build, x, f"{stage}_{index}", weights_channels=index % 2 == 0)
    x = keras.layers.GlobalAveragePooling2D(dtype=dtype, name="pooling")(x)
    return keras.Model(images, heads(build, x, num_classes, dropout_rate, distillation_head), name=name)


def _block(build, x, place, weights_channels):
    kernel = keras.initializers.GlorotUniform(next(build.seeds))
    x = ReparametrizedDepthwise(
        3, depthwise_initializer=kernel, dtype=build.dtype, name=f"depthwise_{place}"
    )(x)
    x = _weighted_channels(build, x, place) if weights_channels else x
    return _with_mlp(build, x, place)


def _halved(build, x, filters, place):
    x = _block(build, x, f"{place}_before", weights_channels=False)
    x = build.depthwise(x, 3, 2, place)
    x = build.convolution(x, filters, 1, 1, place=f"{place}_widening")
    return _with_mlp(build, x, place)


def _with_mlp(build, x, place):
    y = build.mlp(x, 2 * x.shape[-1], place, place)
    return keras.layers.Add(dtype=build.dtype, name=f"add_{place}")([x, y])


def _weighted_channels(build, x, place):
    """Squeeze and excitation: factors of the channels, computed from their means by two dense layers."""
    means = keras.layers.GlobalAveragePooling2D(keepdims=True, dtype=build.dtype, name=f"means_{place}")(x)
    y = _pointwise(build, means, _rounded(x.shape[-1] / 4), "relu", f"squeeze_{place}")
    y = _pointwise(build, y, x.shape[-1], "sigmoid", f"excitation_{place}")
    return keras.layers.Multiply(dtype=build.dtype, name=f"weighted_{place}")([x, y])


def _pointwise(build, x, filters, activation, name):
    kernel = keras.initializers.HeNormal(next(build.seeds))
    return keras.layers.Conv2D(
        filters, 1, activation=activation, kernel_initializer=kernel, dtype=build.dtype, name=name
    )(x)


def _rounded(channels, multiple=8):
    """The nearest multiple of eight, at least eight."""
    return max(multiple, int(channels + multiple / 2) // multiple * multiple)
