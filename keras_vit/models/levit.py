"""LeViT: convolutions, then attention on a grid that shrinks."""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import keras

from keras_vit.constraints import Range, checked
from keras_vit.layers import DropPath, GridAttention
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import DType, PixelPair, Rate, RateBelowOne, Seed
from keras_vit.models.arguments import Channels, PerChannel, variant_row
from keras_vit.models.batch_normalized import BatchNormalized, check_halved, heads
from keras_vit.models.image_input import image_input, pixel_scaling


class LeViTSize(NamedTuple):
    """One row of the table: what a variant's name fixes."""

    stem: tuple[tuple[int, int], ...]  # filters and strides of each 3x3 convolution
    hidden_dims: tuple[int, ...]  # of each stage; the first is that of the stem's last convolution
    key_dim: int
    num_heads: tuple[int, ...]
    num_layers: tuple[int, ...]
    activation: str
    image_size: int  # pixels, when none is given


def _halving(hidden_dim):
    """Four convolutions that halve the image, and double the filters up to `hidden_dim`."""
    return tuple((hidden_dim // divisor, 2) for divisor in (8, 4, 2, 1))


SIZES = {
    # Table 1 of the paper
    "128S": LeViTSize(_halving(128), (128, 256, 384), 16, (4, 6, 8), (2, 3, 4), "hard_swish", 224),
    "128": LeViTSize(_halving(128), (128, 256, 384), 16, (4, 8, 12), (4, 4, 4), "hard_swish", 224),
    "192": LeViTSize(_halving(192), (192, 288, 384), 32, (3, 5, 6), (4, 4, 4), "hard_swish", 224),
    "256": LeViTSize(_halving(256), (256, 384, 512), 32, (4, 6, 8), (4, 4, 4), "hard_swish", 224),
    "384": LeViTSize(_halving(384), (384, 512, 768), 32, (6, 9, 12), (4, 4, 4), "hard_swish", 224),
    # For small images, ours: most of the work in convolutions, which learn from few images; ReLU
    "Milli": LeViTSize(
        ((32, 1), (64, 2), (128, 1), (192, 2), (192, 1), (192, 1), (256, 2)),
        (256,),
        16,
        (8,),
        (2,),
        "relu",
        32,
    ),
    "Micro": LeViTSize(
        ((48, 1), (96, 2), (96, 1), (192, 2), (192, 1), (256, 2)), (256,), 16, (8,), (2,), "relu", 32
    ),
    "Nano": LeViTSize(
        ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2)), (256,), 16, (8,), (2,), "relu", 32
    ),
    "Pico": LeViTSize(((16, 1), (32, 2), (64, 2)), (64, 96), 16, (2, 3), (1, 1), "relu", 16),
}


@checked
def levit(
    variant: str | int = "128S",
    *,
    image_size: PixelPair | None = None,
    num_classes: Annotated[int, Range(0)] = 1000,
    channels: Channels = 3,
    activation: str | Callable | None = None,
    mlp_ratio: Annotated[float, Range(0.1, 16)] = 2.0,
    distillation_head: bool = False,
    dropout_rate: Rate = 0.0,
    drop_path_rate: RateBelowOne = 0.0,
    pixel_mean: PerChannel = 0.5,
    pixel_std: PerChannel = 0.5,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "levit",
) -> keras.Model:
    """Builds a LeViT for images in [0, 255]; scaling is inside.

    Convolutions shrink the image; stages of attention with biases for distances (`GridAttention`) and MLPs
    follow, each stage after the first on a grid of half the size. All normalizations are batch
    normalizations, which an export folds into the layers before them.

    Args:
        variant: str, `"128S"`, `"128"`, `"192"`, `"256"` or `"384"` as published for images of 224 pixels, or
            `"Milli"`, `"Micro"`, `"Nano"`, `"Pico"` for small images, whose stem has more convolutions and
            whose activation is ReLU.
        image_size: int or `(height, width)` in pixels. Default: the variant's, 224, 32 or 16.
        num_classes: int. 0 leaves out the head: the model returns what was pooled.
        channels: int, 3 for colour and 1 for greyscale.
        activation: a Keras activation or its name; overrides the variant's.
        mlp_ratio: float, hidden size of the MLPs relative to that of their stage.
        distillation_head: bool, a second head; the logits are the mean of both (as trained with a teacher).
        dropout_rate: float in [0, 1], before the heads.
        drop_path_rate: float in [0, 1), probability that a sample skips a residual branch in training.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. Default 0.5, which makes [0, 255] into [-1, 1].
        seed: int or None, of the initial weights and of what is random in training.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A functional `keras.Model` from `(batch, height, width, channels)` to logits
        `(batch, num_classes)`; without a head the pooled features.

    Raises:
        InputError: unknown variant or option, or an image so small that a stage has less than one place.

    Example:
        >>> levit("128S", distillation_head=True).output_shape
        (None, 1000)

    Reference: Graham et al. 2021, https://arxiv.org/abs/2104.01136
    """
    row = variant_row("LeViT", SIZES, variant, image_size=image_size, activation=activation)
    images = image_input(row.image_size, channels)
    halvings = sum(strides == 2 for _, strides in row.stem) + len(row.hidden_dims) - 1
    check_halved(images.shape[1:3], halvings)
    build = BatchNormalized(layer_seeds(seed), dtype, row.activation)
    blocks = _Blocks(build, row.key_dim, mlp_ratio, drop_path_rate)
    x = pixel_scaling(pixel_mean, pixel_std, channels, dtype)(images)
    for index, (filters, strides) in enumerate(row.stem):
        x = build.convolution(x, filters, 3, strides, f"stem_{index}")
        x = build.activated(x, f"stem_{index}") if index < len(row.stem) - 1 else x
    for stage, hidden_dim in enumerate(row.hidden_dims):
        if stage > 0:
            x = blocks.shrinking(x, hidden_dim, f"{stage}_shrinking")
        for index in range(row.num_layers[stage]):
            x = blocks.block(x, row.num_heads[stage], f"{stage}_{index}")
    x = keras.layers.GlobalAveragePooling2D(dtype=dtype, name="pooling")(x)
    return keras.Model(images, heads(build, x, num_classes, dropout_rate, distillation_head), name=name)


class _Blocks(NamedTuple):
    """Adds the blocks to a graph; `place` ends the names of their layers."""

    build: BatchNormalized
    key_dim: int
    mlp_ratio: float
    drop_path_rate: float

    def block(self, x, num_heads, place):
        y = self._attention(x, num_heads, place, value_dim=2 * self.key_dim, gamma_initializer="zeros")
        return self._with_mlp(self._added(x, y, f"{place}_attention"), place)

    def shrinking(self, x, hidden_dim, place):
        """Attention whose queries are every other row and column; it has no residual branch."""
        num_heads, value_dim = x.shape[-1] // self.key_dim, 4 * self.key_dim
        x = self._attention(x, num_heads, place, value_dim=value_dim, hidden_dim=hidden_dim, strides=2)
        return self._with_mlp(x, place)

    def _attention(self, x, num_heads, place, **options):
        return GridAttention(
            num_heads,
            self.key_dim,
            activation=self.build.activation,
            kernel_initializer=keras.initializers.GlorotUniform(next(self.build.seeds)),
            dtype=self.build.dtype,
            name=f"attention_{place}",
            **options,
        )(x)

    def _with_mlp(self, x, place):
        y = self.build.mlp(x, round(x.shape[-1] * self.mlp_ratio), place, f"{place}_mlp")
        return self._added(x, y, f"{place}_mlp")

    def _added(self, x, y, place):
        if self.drop_path_rate:
            seed, dtype = next(self.build.seeds), self.build.dtype
            y = DropPath(self.drop_path_rate, seed=seed, dtype=dtype, name=f"drop_path_{place}")(y)
        return keras.layers.Add(dtype=self.build.dtype, name=f"add_{place}")([x, y])
