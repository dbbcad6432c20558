"""A stack of transformer blocks."""

from typing import Unpack

import keras
from keras import ops

import keras_vit.keras_internals as keras_internals  # as a module: importing Keras there imports the layers
from keras_vit.constraints import checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._masks import merged_mask
from keras_vit.layers._options import BlockLayerOptions, Count, Width
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.self_attention import scores_spec
from keras_vit.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable(package="keras_vit")
class TransformerEncoder(ConfiguredLayer):
    """A stack of `TransformerBlock`s and, after pre-norm blocks, a last layer normalization.

    Args:
        num_layers: int, how many blocks.
        num_heads, mlp_dim: ints, as in `TransformerBlock`.
        final_norm: bool. False leaves out the last layer normalization.
        remat: bool. True computes each block again in the backward pass instead of storing its intermediate
            values: less memory, about a third more time, the same gradients. `keras.RematScope` works in the
            mode `"activations"` only: the others fail on TensorFlow and JAX with every layer that gets
            `training`, Keras's own `Dropout` included.
        **options: as in `TransformerBlock`.

    Attributes:
        blocks: list of `TransformerBlock`, there before the first call.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask, mask: as in `SelfAttention`.
        return_attention_scores: bool.
        return_hidden_states: bool.

    Returns:
        Like `x`; with `return_attention_scores` also a list of `num_layers` tensors
        `(batch, num_heads, length, length)`; with `return_hidden_states` also a list of each block's output.

    Raises:
        InputError: an unknown option or one out of range; `num_heads` does not divide the hidden size.

    Example:
        >>> encoder = TransformerEncoder(num_layers=2, num_heads=3, mlp_dim=24, dropout_rate=0.1)
        >>> encoder.blocks[0].trainable = False
        >>> x, states = encoder(keras.ops.ones((2, 5, 12)), return_hidden_states=True)
        >>> tuple(x.shape), len(states)
        ((2, 5, 12), 2)

    Reference: https://arxiv.org/abs/2010.11929, equations 2 to 4
    """

    @checked
    def __init__(
        self,
        num_layers: Count,
        num_heads: Count,
        mlp_dim: Width,
        *,
        final_norm: bool = True,
        remat: bool = False,
        **options: Unpack[BlockLayerOptions],
    ) -> None:
        super().__init__(locals())
        seeds = layer_seeds(self.seed)
        self.blocks = [self._block(index, next(seeds)) for index in range(num_layers)]
        self.norm = self._norm("norm", self.norm_first and final_norm)

    def build(self, input_shape):
        for layer in keras_internals.child_layers(self):
            layer.build(input_shape)

    def call(
        self,
        x,
        attention_mask=None,
        mask=None,
        x_mask=None,
        training=False,
        return_attention_scores=False,
        return_hidden_states=False,
    ):
        attention_mask = merged_mask(x, self.num_heads, attention_mask, mask, x_mask)
        all_scores, states = [], []
        run = _rematerialized if self.remat else _plain
        options = {"attention_mask": attention_mask, "training": training, "return_attention_scores": True}
        for block in self.blocks:
            x, scores = run(block, x, options)
            all_scores.append(scores)
            states.append(x)
        x = tokenwise(self.norm, x)
        return _outputs(x, all_scores, states, return_attention_scores, return_hidden_states)

    def compute_output_spec(
        self, x, *masks, return_attention_scores=False, return_hidden_states=False, **kwargs
    ):
        output, *states = (keras.KerasTensor(x.shape, self.compute_dtype) for _ in range(self.num_layers + 1))
        all_scores = [scores_spec(self, x) for _ in range(self.num_layers)]
        return _outputs(output, all_scores, states, return_attention_scores, return_hidden_states)

    def _block(self, index, seed):
        rate = self.drop_path_rate * index / max(self.num_layers - 1, 1)
        return self._inner(TransformerBlock, f"block_{index}", drop_path_rate=rate, seed=seed)


def _outputs(x, all_scores, states, return_attention_scores, return_hidden_states):
    asked = [all_scores] * return_attention_scores + [states] * return_hidden_states
    return (x, *asked) if asked else x


def _plain(block, x, options):
    return block(x, **options)


def _rematerialized(block, x, options):
    """Calls a block so that its backward pass computes it again from `x`, with the same random numbers.

    Variables are copied: seeds change in place before the backward pass, and TensorFlow's `recompute_grad`
    counts the gradient of a variable twice outside a graph.
    """
    weights = {id(weight) for weight in block.weights}
    others = block.non_trainable_variables  # frozen weights and the seeds
    states = [ops.copy(variable) for variable in others]

    def run(x, *trainable):
        (x, scores), new_states = block.stateless_call(trainable, states, x, **options)
        return x, scores, *new_states

    trainable = [ops.copy(variable) for variable in block.trainable_variables]
    x, scores, *new_states = keras.remat(run)(x, *trainable)
    for variable, state in zip(others, new_states, strict=True):
        if id(variable) not in weights:
            variable.assign(state)
    return x, scores
