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


def depth_from_head(path: str, num_layers: int) -> int:
    """Returns how many blocks below the head a weight is: 0 for the head and what follows the blocks.

    >>> depth_from_head("encoder/block_3/mlp/expansion/kernel", 4)
    1
    """
    block = re.search(r"(?:block|reduction)_(\d+)", path)  # a reduction is named by the block after it
    if block:
        return num_layers - int(block[1])
    return num_layers + 1 if path.split("/")[0] in BEFORE_BLOCKS else 0


def with_rates_by_depth(
    optimizer_class: type, num_layers: int, decay: float, unfreeze_every: int | None = None
) -> type:
    """Derives an optimizer whose learning rate falls by `decay` in (0, 1] with each block below the head.

    With `unfreeze_every`, in steps, one more block is trained after each so many. Until then its rate is 0
    and its weights stay trainable: the optimizer, and so the state of a run, is the same from the first step
    to the last.

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
