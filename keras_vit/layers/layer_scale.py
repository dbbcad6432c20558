"""Scales a residual branch by a learned factor per channel."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_vit")
class LayerScale(keras.layers.Layer):
    """Multiplies each channel by a learned factor that starts small.

    Args:
        initial_value: float, at which all factors start. Default 1e-5.

    Call arguments:
        x: `(..., hidden_dim)`.

    Returns:
        Like `x`.

    Reference: Touvron et al. 2021, equation 4, https://arxiv.org/abs/2103.17239
    """

    def __init__(self, initial_value=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.initial_value = initial_value

    def build(self, input_shape):
        self.gamma = self.add_weight(
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial_value),
            name="gamma",
        )

    def call(self, x):
        return x * ops.cast(self.gamma, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial_value": self.initial_value}
