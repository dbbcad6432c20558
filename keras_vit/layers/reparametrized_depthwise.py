"""A depthwise convolution that has several branches in training and is one convolution in a file."""

from typing import Annotated, Any, Unpack

import keras

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import LayerOptions


@keras.saving.register_keras_serializable(package="keras_vit")
class ReparametrizedDepthwise(ConfiguredLayer):
    """`norm(norm(depthwise(x)) + pointwise(x) + x)`: a depthwise convolution with two shortcuts.

    The first branch is a depthwise convolution without bias and batch normalization, the second one a
    depthwise convolution of one pixel, the third the input itself; their sum is normalized again. At
    inference all of it is linear in `x`: `keras_vit.export` writes one depthwise convolution.

    Args:
        kernel_size: int, odd.
        depthwise_initializer: of the kernels of both convolutions, as in `keras.layers.DepthwiseConv2D`.

    Call arguments:
        x: `(batch, height, width, channels)`.
        training: bool. In training the normalizations use the statistics of the batch.

    Returns:
        Like `x`.

    Raises:
        InputError: an even kernel size, for which the shortcuts would not be in the centre.

    Example:
        >>> import numpy as np
        >>> tuple(ReparametrizedDepthwise(3)(np.ones((2, 8, 8, 12), "float32")).shape)
        (2, 8, 8, 12)

    Reference: Wang et al. 2023 (RepViT), https://arxiv.org/abs/2307.09283, section 3.2; Ding et al. 2021
        (RepVGG), https://arxiv.org/abs/2101.03697
    """

    axes = ("batch", "height", "width", "channels")

    @checked
    def __init__(
        self,
        kernel_size: Annotated[int, Range(1, 99)] = 3,
        depthwise_initializer: Any = "glorot_uniform",
        **options: Unpack[LayerOptions],
    ) -> None:
        if kernel_size % 2 == 0:
            raise InputError(f"Expected an odd kernel_size, such as 3, received {kernel_size}.")
        super().__init__(locals())
        self.supports_masking = False  # a mask of pixels
        self.convolution = self._depthwise("convolution", kernel_size, use_bias=False)
        self.convolution_norm = self._batch_norm("convolution_norm")
        self.pointwise = self._depthwise("pointwise", 1, use_bias=True)
        self.norm = self._batch_norm("norm")

    def build(self, input_shape):
        for layer in (self.convolution, self.convolution_norm, self.pointwise, self.norm):
            layer.build(input_shape)

    def call(self, x, training=False):
        y = self.convolution_norm(self.convolution(x), training=training)
        return self.norm(y + self.pointwise(x) + x, training=training)

    def _depthwise(self, name, kernel_size, use_bias):
        return keras.layers.DepthwiseConv2D(
            kernel_size,
            padding="same",
            data_format="channels_last",
            use_bias=use_bias,
            depthwise_initializer=self._shared("depthwise_initializer", name),
            name=name,
            dtype=self.dtype_policy,
        )
