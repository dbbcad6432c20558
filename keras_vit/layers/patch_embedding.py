"""Maps images to one embedding per patch."""

import math
from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Choices, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer, build_dense
from keras_vit.layers._options import DenseLayerOptions, PixelPair, Width
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.patch_extraction import PatchExtraction, patch_grid
from keras_vit.pairs import as_pair

STEM_FILTERS = 64


@keras.saving.register_keras_serializable(package="keras_vit")
class PatchEmbedding(ConfiguredLayer):
    """Maps images to one embedding per patch.

    `stem="linear"` projects the flattened pixels of each patch. `stem="conv"` is the convolutional
    tokenizer of the Compact Transformers: 3x3 convolution without bias, ReLU and 3x3 max-pooling of
    stride 2, once per factor of two in the patch size, with 64 filters except in the last.

    Args:
        hidden_dim: int, size of an embedding.
        patch_size: int or `(height, width)` in pixels. For `stem="conv"` a power of two, square.
        stem: `"linear"` (default) or `"conv"`.
        use_bias: bool, whether the linear stem adds a bias; the convolutional one never does.
        **options: of the linear stem's dense layer, as in `SelfAttention`. The convolutions' kernels are
            initialized as `"he_normal"` and share `kernel_regularizer`.

    Call arguments:
        images: `(batch, height, width, channels)`, of any number type.

    Returns:
        `(batch, num_patches, hidden_dim)`, patches in row-major order.

    Raises:
        InputError: an unknown stem, or a patch that does not fit the stem or the image.

    Example:
        >>> tuple(PatchEmbedding(hidden_dim=24, patch_size=4)(ops.ones((2, 16, 16, 3))).shape)
        (2, 16, 24)

    Reference: linear: https://arxiv.org/abs/2010.11929, equation 1; conv: Hassani et al. 2021,
        https://arxiv.org/abs/2104.05704, section 3.4
    """

    axes = ("batch", "height", "width", "channels")

    @checked
    def __init__(
        self,
        hidden_dim: Width,
        patch_size: PixelPair,
        stem: Annotated[str, Choices("linear", "conv")] = "linear",
        use_bias: bool = True,
        **options: Unpack[DenseLayerOptions],
    ) -> None:
        patch_size = as_pair(patch_size, "patch_size")
        super().__init__(locals())
        self.supports_masking = False  # a mask of pixels is not one of patches: Keras warns and drops it
        if stem == "linear":
            self.extraction = PatchExtraction(patch_size, name="extraction", dtype=self.dtype_policy)
            self.projection = self._dense("projection", use_bias=use_bias)
            return
        count = _halvings(patch_size)
        if not count:
            raise InputError(
                "stem='conv' halves the image, once for each factor of two, so that patch_size must be 2, 4, "
                f"8, 16 or another power of two; received {patch_size}. Use stem='linear' for other patches."
            )
        self.pool = keras.layers.MaxPooling2D(
            3, 2, padding="same", data_format="channels_last", name="pool", dtype=self.dtype_policy
        )
        filters = [STEM_FILTERS] * (count - 1) + [hidden_dim]
        self.convolutions = [self._convolution(index, size) for index, size in enumerate(filters)]

    def build(self, input_shape):
        patch_grid(input_shape, self.patch_size)
        channels = input_shape[-1]
        if self.stem == "linear":
            self.extraction.build(input_shape)
            build_dense(self.projection, math.prod(self.patch_size) * channels, self.hidden_dim)
            return
        for convolution in self.convolutions:
            convolution.build((None, None, None, channels))
            channels = convolution.filters

    def call(self, images):
        if self.stem == "linear":
            return tokenwise(self.projection, self.extraction(images))
        rows, columns = patch_grid(images.shape, self.patch_size)
        x = ops.cast(
            images, self.compute_dtype
        )  # a convolution, unlike a dense layer, does not accept integers
        for convolution in self.convolutions:
            x = self.pool(ops.relu(convolution(x)))
        return ops.reshape(x, (-1, rows * columns, self.hidden_dim))

    def compute_output_shape(self, input_shape):
        rows, columns = patch_grid(input_shape, self.patch_size)
        return (input_shape[0], rows * columns, self.hidden_dim)

    def _convolution(self, index, filters):
        return keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            data_format="channels_last",
            use_bias=False,
            kernel_initializer="he_normal",
            kernel_regularizer=self.kernel_regularizer,
            name=f"convolution_{index}",
            dtype=self.dtype_policy,
        )


def _halvings(patch_size):
    height, width = patch_size
    exponent = round(math.log2(height))
    return exponent if height == width and 2**exponent == height else 0
