"""Muon that also trains the kernels of convolutions."""

import re

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_vit")
class ConvolutionMuon(keras.optimizers.Muon):
    """`keras.optimizers.Muon` for networks of convolutions, whose kernels Keras's class leaves to Adam.

    A kernel `(height, width, inputs, filters)` is trained as the matrix `(height * width * inputs, filters)`.
    Depthwise kernels, which have one filter for each input, are no such matrix: they stay with Adam. The
    update is scaled as that of a matrix, so that learning rate and weight decay are those of Adam.

    Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; Liu et al. 2025,
        https://arxiv.org/abs/2502.16982, for the scale.

    Example:
        >>> kernel = keras.Variable(keras.random.normal((3, 3, 8, 16)), name="kernel")
        >>> optimizer = ConvolutionMuon(learning_rate=0.1)
        >>> optimizer.apply([keras.ops.ones_like(kernel)], [kernel])
    """

    def _should_use_adamw(self, variable):
        if not _is_convolution(variable):
            return super()._should_use_adamw(variable)
        return any(re.search(keyword, variable.path) for keyword in self.exclude_layers)

    def _muon_update_step(self, gradient, variable, lr, m):
        if not _is_convolution(variable):
            super()._muon_update_step(gradient, variable, lr, m)
            return
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        update = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(update, (-1, variable.shape[-1]))
        matrix = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(matrix, variable.shape))


def _is_convolution(variable):
    return len(variable.shape) == 4 and variable.shape[-1] > 1
