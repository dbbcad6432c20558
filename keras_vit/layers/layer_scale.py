"""Scales a residual branch by a learned factor per channel."""

from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Range, checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import LayerOptions


@keras.saving.register_keras_serializable(package="keras_vit")
class LayerScale(ConfiguredLayer):
    """Multiplies each channel by a learned factor that starts small.

    Args:
        initial_value: float, at which all factors start. Default 1e-5.

    Call arguments:
        x: `(..., hidden_dim)`.

    Returns:
        Like `x`.

    Example:
        >>> ops.convert_to_numpy(LayerScale(0.5)(ops.ones((1, 2))))
        array([[0.5, 0.5]], dtype=float32)

    Reference: Touvron et al. 2021, equation 4, https://arxiv.org/abs/2103.17239
    """

    axes = ("batch", "...", "hidden_dim")

    @checked
    def __init__(
        self, initial_value: Annotated[float, Range(-1e6, 1e6)] = 1e-5, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(locals())

    def build(self, input_shape):
        self.gamma = self.add_weight(
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial_value),
            name="gamma",
        )

    def call(self, x):
        return x * ops.cast(self.gamma, x.dtype)
