"""Maps images to one embedding per patch."""

import math

import keras
from keras import ops

from keras_vit.layers._pairs import as_pair
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.patch_extraction import PatchExtraction, patch_grid

STEM_FILTERS = 64


@keras.saving.register_keras_serializable(package="keras_vit")
class PatchEmbedding(keras.layers.Layer):
    """Maps images to one embedding per patch.

    `stem="linear"` projects the flattened pixels of each patch. `stem="conv"` is the convolutional
    tokenizer of the Compact Transformers: 3x3 convolution without bias, ReLU and 3x3 max-pooling of
    stride 2, once per factor of two in the patch size, with 64 filters but for the last.

    Args:
        hidden_dim: int, size of an embedding.
        patch_size: int or `(height, width)` in pixels. For `stem="conv"` a power of two, square.
        stem: `"linear"` (default) or `"conv"`.
        use_bias: bool, whether the linear stem adds a bias; the convolutional one never does.

    Call arguments:
        images: `(batch, height, width, channels)`, of any number type.

    Returns:
        `(batch, num_patches, hidden_dim)`, patches in row-major order.

    Raises:
        ValueError: an unknown stem, or a patch that does not fit the stem or the image.

    Reference: linear: https://arxiv.org/abs/2010.11929, equation 1; conv: Hassani et al. 2021,
        https://arxiv.org/abs/2104.05704, section 3.4
    """

    def __init__(self, hidden_dim, patch_size, stem="linear", use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.patch_size = as_pair(patch_size, "patch_size")
        self.stem = stem
        self.use_bias = use_bias
        if stem not in ("linear", "conv"):
            raise ValueError(f"Expected stem to be 'linear' or 'conv', received {stem!r}.")
        if stem == "conv" and not _halvings(self.patch_size):
            raise ValueError(
                "stem='conv' halves the image some times, so that patch_size must be 2, 4, 8, 16 or "
                f"another power of two; received {self.patch_size}. Use stem='linear' for other patches."
            )

    def build(self, input_shape):
        if self.stem == "linear":
            self._build_linear(input_shape)
        else:
            self._build_conv(input_shape)

    def call(self, images):
        if self.stem == "linear":
            return tokenwise(self.projection, self.extraction(images))
        rows, columns = patch_grid(images.shape, self.patch_size)
        x = ops.cast(images, self.compute_dtype)  # a convolution, unlike a dense layer, takes no integers
        for convolution in self.convolutions:
            x = self.pool(ops.relu(convolution(x)))
        return ops.reshape(x, (-1, rows * columns, self.hidden_dim))

    def compute_output_shape(self, input_shape):
        rows, columns = patch_grid(input_shape, self.patch_size)
        return (input_shape[0], rows * columns, self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "patch_size": self.patch_size,
            "stem": self.stem,
            "use_bias": self.use_bias,
        }

    def _build_linear(self, input_shape):
        self.extraction = PatchExtraction(self.patch_size, name="extraction", dtype=self.dtype_policy)
        self.extraction.build(input_shape)
        self.projection = keras.layers.Dense(
            self.hidden_dim, use_bias=self.use_bias, name="projection", dtype=self.dtype_policy
        )
        self.projection.build((None, self.extraction.compute_output_shape(input_shape)[-1]))

    def _build_conv(self, input_shape):
        patch_grid(input_shape, self.patch_size)
        count = _halvings(self.patch_size)
        self.pool = keras.layers.MaxPooling2D(
            3, strides=2, padding="same", name="pool", dtype=self.dtype_policy
        )
        self.convolutions = []
        channels = input_shape[-1]
        for index in range(count):
            filters = self.hidden_dim if index == count - 1 else STEM_FILTERS
            convolution = keras.layers.Conv2D(
                filters,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                name=f"convolution_{index}",
                dtype=self.dtype_policy,
            )
            convolution.build((None, None, None, channels))
            self.convolutions.append(convolution)
            channels = filters


def _halvings(patch_size):
    height, width = patch_size
    exponent = round(math.log2(height))
    return exponent if height == width and 2**exponent == height else 0
