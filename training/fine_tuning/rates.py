"""Learning rates by the depth of a weight in a Vision Transformer."""

import re

from keras import ops

BEFORE_BLOCKS = (  # layers of `keras_vit.models.vit`
    "patch_embedding",
    "class_token",
    "distillation_token",
    "registers",
    "position_embedding",
    "embedding_norm",
)


def depth_from_head(path, num_layers):
    """Returns how many blocks below the head a weight is: 0 for the head and what follows the blocks.

    Args:
        path: str, the weight's, such as `"encoder/block_3/mlp/expansion/kernel"`.
        num_layers: int, blocks of the model.
    """
    block = re.search(r"block_(\d+)", path)
    if block:
        return num_layers - int(block[1])
    return num_layers + 1 if path.split("/")[0] in BEFORE_BLOCKS else 0


def with_rates_by_depth(optimizer_class, num_layers, decay, unfreeze_every=None):
    """Derives an optimizer whose learning rate falls from the head down, and may start later there.

    A weight that is not yet trained has the rate 0, not another set of trainable weights: the optimizer,
    and so the state of a run, is the same from the first step to the last.

    Args:
        optimizer_class: class of `keras.optimizers`.
        num_layers: int, blocks of the Vision Transformer.
        decay: float in (0, 1], factor from each block to the one before it.
        unfreeze_every: int, steps after which one more block is trained, or None: all from the first step.

    Returns:
        A subclass of `optimizer_class`.

    Reference: Clark et al. 2020, https://arxiv.org/abs/2003.10555, and for images Bao et al. 2021,
        https://arxiv.org/abs/2106.08254; gradual unfreezing: https://arxiv.org/abs/1801.06146
    """

    class ByDepth(optimizer_class):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            # Keras decays all weights at one rate; here each is decayed with its own, in `update_step`.
            self._decay_of_weights, self.weight_decay = self.weight_decay, None
            if hasattr(self, "adam_weight_decay"):  # of Muon
                self.adam_weight_decay = None

        def build(self, variables):
            self._depths = [depth_from_head(variable.path, num_layers) for variable in variables]
            super().build(variables)

        def update_step(self, gradient, variable, learning_rate):
            rate = ops.cast(learning_rate, variable.dtype) * self._factor(variable)
            if self._decay_of_weights and self._use_weight_decay(variable):
                self.assign_sub(variable, variable * (rate * self._decay_of_weights))
            super().update_step(gradient, variable, rate)

        def _factor(self, variable):
            depth = self._depths[self._get_variable_index(variable)]
            factor = ops.cast(decay**depth, variable.dtype)
            if unfreeze_every is None:
                return factor
            return ops.where(self.iterations >= depth * unfreeze_every, factor, ops.zeros_like(factor))

    ByDepth.__name__ = optimizer_class.__name__
    return ByDepth
