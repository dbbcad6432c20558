"""A stack of transformer blocks."""

import functools
from collections.abc import Mapping
from typing import Any, Unpack

import keras
from keras import ops

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._masks import merged_mask, token_mask
from keras_vit.layers._options import BlockLayerOptions, Count, Width
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.grid_pooling import GridPooling
from keras_vit.layers.patch_merger import PatchMerger
from keras_vit.layers.self_attention import scores_spec
from keras_vit.layers.transformer_block import TransformerBlock

REDUCTIONS = {"merger": PatchMerger, "pooling": GridPooling}


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
        reduction: dict or None. Between two blocks the tokens become fewer: `kind` is `"merger"`
            (`PatchMerger`) or `"pooling"` (`GridPooling`), `after` the number of blocks before it, the rest
            are arguments of that layer. With `rotary`, pooling alone.
        **options: as in `TransformerBlock`.

    Attributes:
        blocks: list of `TransformerBlock`, there before the first call.
        reducer: the layer of `reduction`, or None.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask, mask: as in `SelfAttention`; with a `reduction` only `mask`.
        return_attention_scores: bool.
        return_hidden_states: bool.

    Returns:
        Like `x`, with a `reduction` of fewer tokens; with `return_attention_scores` also a list of
        `num_layers` tensors `(batch, num_heads, length, length)`; with `return_hidden_states` also a list of
        each block's output.

    Raises:
        InputError: an unknown option or one out of range; `num_heads` does not divide the hidden size; a
            `reduction` that the tokens do not fit.

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
        reduction: Mapping[str, Any] | None = None,
        **options: Unpack[BlockLayerOptions],
    ) -> None:
        super().__init__(locals())
        seeds = layer_seeds(self.seed)
        self.reducer = self._reducer()
        self.blocks = [self._block(index, next(seeds)) for index in range(num_layers)]
        self.norm = self._norm("norm", self.norm_first and final_norm)

    def build(self, input_shape):
        batch, length, hidden_dim = input_shape
        if self.reducer is not None:
            self.reducer.build(input_shape)
        for block, count in zip(self.blocks, self.lengths(length), strict=True):
            block.build((batch, count, hidden_dim))
        self.norm.build(input_shape)

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
        seen = merged_mask(x, self.num_heads, attention_mask, mask, x_mask)
        all_scores, states = [], []
        run = _rematerialized if self.remat else _plain
        for index, block in enumerate(self.blocks):
            if self.reduces_before(index):
                x, seen = self._reduced(x, attention_mask, mask, x_mask)
            options = {"attention_mask": seen, "training": training, "return_attention_scores": True}
            x, scores = run(block, x, options)
            all_scores.append(scores)
            states.append(x)
        x = tokenwise(self.norm, x)
        return _outputs(x, all_scores, states, return_attention_scores, return_hidden_states)

    def compute_output_spec(
        self, x, *masks, return_attention_scores=False, return_hidden_states=False, **kwargs
    ):
        batch, length, hidden_dim = x.shape
        shapes = [(batch, count, hidden_dim) for count in self.lengths(length)]
        output, *states = (keras.KerasTensor(shape, self.compute_dtype) for shape in (shapes[-1], *shapes))
        all_scores = [scores_spec(self, state) for state in states]
        return _outputs(output, all_scores, states, return_attention_scores, return_hidden_states)

    def compute_output_shape(self, input_shape):
        batch, length, hidden_dim = input_shape
        return (batch, self.lengths(length)[-1], hidden_dim)

    def compute_mask(self, x, previous_mask=None):
        return previous_mask if self.reducer is None else self.reducer.compute_mask(x, previous_mask)

    def reduces_before(self, index: int) -> bool:
        """Returns whether the tokens become fewer between the block before block `index` and that one."""
        return self.reducer is not None and index == self.reduction["after"]

    def lengths(self, length: int | None) -> list[int | None]:
        """Returns how many tokens each block has, for as many that come in; None for an unknown number."""
        if self.reducer is None:
            return [length] * self.num_layers
        reduced = self.reducer.compute_output_shape((None, length, None))[1]
        after = self.reduction["after"]
        return [length] * after + [reduced] * (self.num_layers - after)

    def _block(self, index, seed):
        rate = self.drop_path_rate * index / max(self.num_layers - 1, 1)
        rotary = self.rotary
        if rotary and self.reducer is not None and index >= self.reduction["after"]:
            rotary = {**rotary, "grid_size": [side // 2 for side in self.reducer.grid_size]}
        return self._inner(TransformerBlock, f"block_{index}", drop_path_rate=rate, rotary=rotary, seed=seed)

    def _reducer(self):
        if self.reduction is None:
            return None
        arguments = dict(self.reduction)
        kind, after = arguments.pop("kind", None), arguments.pop("after", None)
        check_reduction(kind, after, self.num_layers)
        if self.causal or self.rotary and kind != "pooling":
            received = "causal=True" if self.causal else f"rotary and the kind {kind!r}"
            raise InputError(
                f"Expected tokens that may be reduced, received {received}: merged tokens have no place in "
                "an order or a grid. Leave reduction out; with rotary, choose the kind 'pooling'."
            )
        # The number is in the name, so that a weight's path says how deep it is.
        return REDUCTIONS[kind](**arguments, name=f"reduction_{after}", dtype=self.dtype_policy)

    def _reduced(self, x, attention_mask, *token_masks):
        if attention_mask is not None:
            raise InputError(
                "An encoder that reduces its tokens accepts no attention_mask, which is for all of them. "
                "Give a mask of tokens, (batch, length), as mask."
            )
        given = [token_mask(x, mask) for mask in token_masks if mask is not None]
        mask = functools.reduce(ops.logical_and, given) if given else None
        y = self.reducer(x, mask=mask)
        return y, merged_mask(y, self.num_heads, None, self.reducer.compute_mask(x, mask))


def check_reduction(kind, after, num_layers):
    """Raises InputError unless `kind` is a reduction of tokens and `after` leaves blocks on both sides."""
    if kind not in REDUCTIONS:
        raise InputError(f"Expected a reduction of kind {' or '.join(REDUCTIONS)}, received {kind!r}.")
    if isinstance(after, bool) or not isinstance(after, int) or not 1 <= after < num_layers:
        raise InputError(
            f"Tokens are reduced between two of the {num_layers} blocks: expected after how many from 1 to "
            f"{num_layers - 1}, received {after!r}."
        )


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
