"""Residual networks."""

from typing import Annotated, NamedTuple

import keras

from keras_vit.constraints import Choices, checked
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import DType, PixelPair, Rate, Seed
from keras_vit.models.arguments import Channels, NumClasses, PerChannel, variant_row
from keras_vit.models.batch_normalized import BatchNormalized
from keras_vit.models.image_input import image_input, pixel_scaling


class ResNetSize(NamedTuple):
    """One row of the table: what a variant's name fixes."""

    block: str  # "basic": two 3x3 convolutions; "bottleneck": 1x1, 3x3, 1x1 with four times the filters
    num_blocks: tuple[int, ...]  # of each stage; all except the first start by halving the image
    filters: int  # of the first stage, doubled in each further one
    stem: str  # "3x3", or "7x7" which halves the image twice
    shortcut: str  # where the shape changes; "padding" (option A) or "projection" (option B)
    image_size: int  # pixels, when none is given


# He et al. 2015, https://arxiv.org/abs/1512.03385
SIZES = {
    # Section 4.2, for CIFAR
    "20": ResNetSize("basic", (3, 3, 3), 16, "3x3", "padding", 32),
    "32": ResNetSize("basic", (5, 5, 5), 16, "3x3", "padding", 32),
    "56": ResNetSize("basic", (9, 9, 9), 16, "3x3", "padding", 32),
    # Table 1, for ImageNet
    "18": ResNetSize("basic", (2, 2, 2, 2), 64, "7x7", "projection", 224),
    "50": ResNetSize("bottleneck", (3, 4, 6, 3), 64, "7x7", "projection", 224),
}


@checked
def resnet(
    variant: str | int = "20",
    *,
    image_size: PixelPair | None = None,
    num_classes: NumClasses = 1000,
    channels: Channels = 3,
    stem: Annotated[str, Choices("3x3", "7x7")] | None = None,
    dropout_rate: Rate = 0.0,
    pixel_mean: PerChannel = 0.5,
    pixel_std: PerChannel = 0.5,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "resnet",
) -> keras.Model:
    """Builds a residual network for images in [0, 255]; scaling is inside.

    As in the reference implementations a bottleneck halves the image in its 3x3 convolution, images are
    padded equally on all sides, and batch normalisation has momentum 0.9 and epsilon 1e-5.

    Args:
        variant: str, number of layers: `"20"`, `"32"`, `"56"` for small images, `"18"`, `"50"` for large.
            The first three have shortcuts without weights where the shape changes (option A: every other
            pixel, further channels zero), the others a 1x1 convolution (option B).
        image_size: int or `(height, width)` in pixels. Default: the variant's, 32 or 224.
        num_classes: int.
        channels: int, 3 for colour and 1 for greyscale.
        stem: `"3x3"` or `"7x7"`, the first convolution; overrides the variant's. `"18"` with `"3x3"` suits
            images of 32 pixels.
        dropout_rate: float in [0, 1], before the head.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. Default 0.5, which makes [0, 255] into [-1, 1].
        seed: int or None, of the initial weights and the dropout.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A functional `keras.Model` from `(batch, height, width, channels)` to logits `(batch, num_classes)`.

    Raises:
        InputError: unknown variant or option, or sizes that are none.

    Example:
        >>> model = resnet("20", num_classes=10)
        >>> sum(weight.numpy().size for weight in model.trainable_variables)
        269722

    Reference: He et al. 2015, https://arxiv.org/abs/1512.03385; their initial weights: He et al. 2015,
        https://arxiv.org/abs/1502.01852
    """
    row = variant_row("ResNet", SIZES, variant, image_size=image_size, stem=stem)
    images = image_input(row.image_size, channels)
    build = BatchNormalized(layer_seeds(seed), dtype, "relu")
    blocks = _Blocks(build, row.shortcut)
    block = blocks.basic if row.block == "basic" else blocks.bottleneck
    x = blocks.stem(pixel_scaling(pixel_mean, pixel_std, channels, dtype)(images), row.filters, row.stem)
    for stage, count in enumerate(row.num_blocks):
        for index in range(count):
            strides = 2 if stage > 0 and index == 0 else 1
            x = block(x, row.filters * 2**stage, strides, f"{stage}_{index}")
    x = keras.layers.GlobalAveragePooling2D(dtype=dtype, name="pooling")(x)
    x = keras.layers.Dropout(dropout_rate, seed=next(build.seeds), dtype=dtype, name="dropout")(x)
    kernel = keras.initializers.GlorotUniform(next(build.seeds))
    logits = keras.layers.Dense(num_classes, kernel_initializer=kernel, dtype="float32", name="head")(x)
    return keras.Model(images, logits, name=name)


class _Blocks(NamedTuple):
    """Adds the parts of a residual network to a graph; `place` ends the names of their layers."""

    build: BatchNormalized
    shortcut_kind: str

    def stem(self, x, filters, kind):
        kernel_size, strides = (7, 2) if kind == "7x7" else (3, 1)
        x = self.build.activated(self.build.convolution(x, filters, kernel_size, strides, "stem"), "stem")
        if kind == "3x3":
            return x
        x = keras.layers.ZeroPadding2D(1, dtype=self.build.dtype, name="pad_pooling_stem")(x)
        return keras.layers.MaxPooling2D(3, 2, dtype=self.build.dtype, name="pooling_stem")(x)

    def basic(self, x, filters, strides, place):
        y = self.activated(x, filters, 3, strides, f"{place}_a")
        y = self.build.convolution(y, filters, 3, 1, f"{place}_b")
        return self.joined(x, y, strides, place)

    def bottleneck(self, x, filters, strides, place):
        y = self.activated(x, filters, 1, 1, f"{place}_a")
        y = self.activated(y, filters, 3, strides, f"{place}_b")
        y = self.build.convolution(y, 4 * filters, 1, 1, f"{place}_c")
        return self.joined(x, y, strides, place)

    def activated(self, x, filters, kernel_size, strides, place):
        return self.build.activated(self.build.convolution(x, filters, kernel_size, strides, place), place)

    def joined(self, x, y, strides, place):
        if x.shape[-1] != y.shape[-1]:
            x = self.shortcut(x, y.shape[-1], strides, f"{place}_shortcut")
        y = keras.layers.Add(dtype=self.build.dtype, name=f"add_{place}")([x, y])
        return self.build.activated(y, place)

    def shortcut(self, x, filters, strides, place):
        if self.shortcut_kind == "projection":
            return self.build.convolution(x, filters, 1, strides, place)
        x = keras.layers.MaxPooling2D(1, strides, dtype=self.build.dtype, name=f"pooling_{place}")(x)
        # The pair is for the last two axes, which it treats as height and width under "channels_first".
        pad = (0, 0), (0, filters - x.shape[-1])
        return keras.layers.ZeroPadding2D(pad, "channels_first", dtype=self.build.dtype, name=f"pad_{place}")(
            x
        )
