"""The Vision Transformer."""

from typing import Annotated, Unpack

import keras

from keras_vit import layers
from keras_vit.constraints import Choices, OnlyWith, OnlyWithOneOf, Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._options import BLOCK_DEFAULTS, BlockOptions, Count, DType, Pair, PixelPair, Seed
from keras_vit.layers.patch_extraction import patch_grid
from keras_vit.models.arguments import Channels, HiddenSize, MLPSize, PerChannel
from keras_vit.models.image_input import image_input, pixel_scaling, source_inputs
from keras_vit.models.vit_variants import decode_variant
from keras_vit.pairs import as_pair

SIZE_FIELDS = ("image_size", "patch_size", "hidden_dim", "num_layers", "num_heads", "mlp_dim")
MERGED_TOKENS = 8  # of PatchMerger, https://arxiv.org/abs/2202.12015, section 4.1
ROTARY = ("rotary", "learned_rotary")
ADDED = ("learned", "sincos_1d", "sincos_2d", "learned_rotary")  # positions that tokens get
Position = Annotated[str, Choices(*ADDED, "rotary", "none")]
_WITH_ROTARY = OnlyWith("position_embedding", *ROTARY)
_WITH_ADDED = OnlyWith("position_embedding", *ADDED)
_WITH_TOKEN = OnlyWithOneOf(OnlyWith("pooling", "token", "token_gap"), OnlyWith("class_token", True))


@checked
def vit(
    variant: str | None = None,
    *,
    image_size: PixelPair | None = None,
    num_classes: Annotated[int, Range(0)] = 1000,
    channels: Channels = 3,
    patch_size: PixelPair | None = None,
    hidden_dim: HiddenSize | None = None,
    num_layers: Count | None = None,
    num_heads: Count | None = None,
    mlp_dim: MLPSize | None = None,
    stem: Annotated[str, Choices("linear", "conv")] = "linear",
    pooling: Annotated[str, Choices("token", "gap", "map", "token_gap")] = "token",
    class_token: bool | None = None,
    distillation_token: bool = False,
    num_registers: Annotated[int, Range(0, 1000)] = 0,
    position_embedding: Position = "learned",
    rotary_base: Annotated[float, Range(1e-6), _WITH_ROTARY] = 100.0,
    rotary_grid_size: Annotated[Pair | None, _WITH_ROTARY] = None,
    embed_prefix: Annotated[bool, _WITH_TOKEN, _WITH_ADDED] = True,
    embed_registers: Annotated[
        bool, OnlyWith("num_registers"), OnlyWith("embed_prefix", True), _WITH_ADDED
    ] = False,
    patch_bias: bool = True,
    embedding_norm: bool = False,
    norm_pooled: bool = False,
    head_bias: bool = True,
    token_reduction: Annotated[str, Choices("merger", "pooling")] | None = None,
    reduce_after: Annotated[Count | None, OnlyWith("token_reduction")] = None,
    num_merged_tokens: Annotated[Count | None, OnlyWith("token_reduction", "merger")] = None,
    pixel_mean: PerChannel = 0.5,
    pixel_std: PerChannel = 0.5,
    seed: Seed = None,
    dtype: DType = None,
    name: str = "vit",
    input_tensor: keras.KerasTensor | None = None,
    **options: Unpack[BlockOptions],
) -> keras.Model:
    """Builds a Vision Transformer for images in [0, 255]; scaling is inside.

    Args:
        variant: str such as `"Ti/16"`: a size (Ti, S, B, L, H; for small images Lite-6, Lite-7,
            Micro, Nano, Pico) and a patch in pixels. Or None, with all the fields given.
        image_size: int or `(height, width)` in pixels. Default: the variant's.
        num_classes: int. 0 leaves out the head: the model returns what was pooled.
        channels: int, 3 for colour and 1 for greyscale.
        patch_size: int or `(height, width)` in pixels; overrides the variant's, as the next four do.
        hidden_dim, num_layers, num_heads, mlp_dim: ints.
        stem: `"linear"` or `"conv"`, see `PatchEmbedding`.
        pooling: `"token"` (the class token), `"gap"` (mean of the patches), `"token_gap"` (both, one
            after the other) or `"map"` (attention).
        class_token: bool, or None: there is one when it is what is pooled.
        distillation_token: bool, a second token with its own head; the logits are the mean of both
            heads (DeiT, https://arxiv.org/abs/2012.12877).
        num_registers: int, register tokens.
        position_embedding: `"learned"`, `"sincos_1d"`, `"sincos_2d"`, `"rotary"` (in every attention, see
            `RotaryPositionEmbedding`), `"learned_rotary"` (both) or `"none"`.
        rotary_base, rotary_grid_size: `base` and `reference_grid_size` of `RotaryPositionEmbedding`.
        embed_prefix: bool, whether class and distillation token have a position embedding too.
        embed_registers: bool, whether the registers have one as well.
        patch_bias: bool, whether the linear stem adds a bias.
        embedding_norm: bool, layer normalisation before the first block (CLIP).
        norm_pooled: bool. True normalises what was pooled instead of all tokens.
        head_bias: bool, whether the head adds a bias.
        token_reduction: between two blocks the patches become fewer, which makes all later blocks faster:
            `"merger"` (see `PatchMerger`), `"pooling"` (the means of 2 x 2 patches, see `GridPooling`), or
            None (default) for none. Class token and registers are kept.
        reduce_after: int, after how many blocks, or None: after half of them.
        num_merged_tokens: int, into how many tokens `"merger"` merges the patches. None: 8, as in the paper.
        pixel_mean, pixel_std: float or one per channel, of pixels in [0, 1], which the model subtracts and
            divides by. Default 0.5, which makes [0, 255] into [-1, 1].
        seed: int or None, of all dropouts. Initial weights follow `keras.utils.set_random_seed`.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.
        input_tensor: `keras.KerasTensor` of the images, such as a `keras.Input` or what layers of your own
            compute from one; the model then includes these layers. Default: a new `keras.Input`.
        **options: of the blocks, see `keras_vit.layers.BlockOptions`.

    Returns:
        A functional `keras.Model` from `(batch, height, width, channels)` to logits
        `(batch, num_classes)`; without a head the pooled features.

    Raises:
        InputError: unknown variant or option, a missing field, one without effect, or sizes that do not fit
            together.

    Example:
        >>> vit("Ti/16", num_classes=1000).count_params()
        5717416

    Reference: Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
    """
    sizes = _sizes(variant, image_size, patch_size, hidden_dim, num_layers, num_heads, mlp_dim)
    image_size, patch_size, hidden_dim, num_layers, num_heads, mlp_dim = sizes
    class_token = _class_token(class_token, pooling, distillation_token)
    num_prefix = class_token + distillation_token + num_registers
    block: BlockOptions = {**BLOCK_DEFAULTS, **options}
    reduction = _reduction(token_reduction, reduce_after, num_merged_tokens, num_layers)
    images = image_input(image_size, channels, input_tensor)
    x = pixel_scaling(pixel_mean, pixel_std, channels, dtype)(images)
    x = layers.PatchEmbedding(
        hidden_dim, patch_size, stem=stem, use_bias=patch_bias, dtype=dtype, name="patch_embedding"
    )(x)
    grid_size = patch_grid(images.shape, patch_size)
    num_embedded = embed_prefix * (num_prefix - (not embed_registers) * num_registers)
    positions = _positions(position_embedding, grid_size, num_embedded, dtype)
    if reduction is not None:
        reduction["num_prefix_tokens"] = num_prefix
        reduction |= {"grid_size": list(grid_size)} if token_reduction == "pooling" else {}
    x = _with_prefix(
        x, positions, class_token, distillation_token, num_registers, embed_prefix, embed_registers, dtype
    )
    x = keras.layers.Dropout(block["dropout_rate"], seed=seed, dtype=dtype, name="dropout")(x)
    if embedding_norm:
        x = _norm("embedding_norm", block["epsilon"], dtype)(x)
    tokens = layers.TransformerEncoder(
        num_layers,
        num_heads,
        mlp_dim,
        rotary=_rotary(position_embedding, grid_size, num_prefix, rotary_base, rotary_grid_size),
        final_norm=not norm_pooled,
        reduction=reduction,
        seed=seed,
        dtype=dtype,
        name="encoder",
        **block,
    )(x)
    if pooling == "map":
        pool = layers.AttentionPooling(
            num_heads,
            mlp_dim,
            activation=block["activation"],
            epsilon=block["epsilon"],
            dtype=dtype,
            name="pooling",
        )
    else:
        pool = layers.TokenPooling(pooling, num_prefix_tokens=num_prefix, dtype=dtype, name="pooling")
    x = pool(tokens)
    x = _norm("pooled_norm", block["epsilon"], dtype)(x) if norm_pooled else x
    if num_classes:
        x = keras.layers.Dense(num_classes, use_bias=head_bias, dtype="float32", name="head")(x)
    if distillation_token:
        x = _mean_with_distilled(x, tokens, num_classes, dtype)
    return keras.Model(source_inputs(images), x, name=name)


def _positions(kind, grid_size, num_prefix_tokens, dtype):
    if kind in ("none", "rotary"):
        return lambda x: x
    kind = "learned" if kind == "learned_rotary" else kind
    return layers.PositionEmbedding(
        grid_size, kind=kind, num_prefix_tokens=num_prefix_tokens, dtype=dtype, name="position_embedding"
    )


def _reduction(kind, after, num_tokens, num_layers):
    """The encoder's `reduction`, without what depends on the tokens; or None."""
    if kind is None:
        return None
    after = num_layers // 2 if after is None else after
    if not 1 <= after < num_layers:
        raise InputError(
            f"token_reduction={kind!r} comes between two blocks: expected reduce_after from 1 to "
            f"{num_layers - 1}, for num_layers={num_layers}, received {after}."
        )
    tokens = {"num_tokens": MERGED_TOKENS if num_tokens is None else num_tokens} if kind == "merger" else {}
    return {"kind": kind, "after": after, **tokens}


def _rotary(kind, grid_size, num_prefix_tokens, base, reference_grid_size):
    if kind not in ROTARY:
        return None
    if reference_grid_size is not None:
        reference_grid_size = list(as_pair(reference_grid_size, "rotary_grid_size"))
    return {
        "grid_size": list(grid_size),
        "num_prefix_tokens": num_prefix_tokens,
        "base": base,
        "reference_grid_size": reference_grid_size,
    }


def _with_prefix(
    x, positions, class_token, distillation_token, num_registers, embed_prefix, embed_registers, dtype
):
    """Puts the tokens before the patches, and adds positions, also to tokens that have one."""
    x = x if embed_prefix else positions(x)
    if class_token:
        x = layers.ClassToken(dtype=dtype, name="class_token")(x)
    if distillation_token:
        x = layers.RegisterTokens(1, num_prefix_tokens=1, dtype=dtype, name="distillation_token")(x)
    x = positions(x) if embed_prefix and not embed_registers else x
    if num_registers:
        before = int(class_token) + int(distillation_token)
        x = layers.RegisterTokens(num_registers, num_prefix_tokens=before, dtype=dtype, name="registers")(x)
    return positions(x) if embed_prefix and embed_registers else x


def _norm(name, epsilon, dtype):
    return keras.layers.LayerNormalization(epsilon=epsilon, dtype=dtype, name=name)


def _mean_with_distilled(x, tokens, num_classes, dtype):
    y = layers.TokenPooling("token", index=1, dtype=dtype, name="distillation_pooling")(tokens)
    if num_classes:
        y = keras.layers.Dense(num_classes, dtype="float32", name="distillation_head")(y)
    return keras.layers.Average(dtype=x.dtype, name="mean_of_heads")([x, y])


def _sizes(variant, *sizes):
    given = dict(zip(SIZE_FIELDS, sizes, strict=True))
    if variant is not None:
        row, variant_patch = decode_variant(variant)
        defaults = {**row._asdict(), "patch_size": variant_patch}
        given = {field: defaults[field] if v is None else v for field, v in given.items()}
    missing = [field for field, value in given.items() if value is None]
    if missing:
        raise InputError(f"Without a variant, vit() also needs {', '.join(missing)}.")
    for field in ("image_size", "patch_size"):
        given[field] = as_pair(given[field], field)
    return given.values()


def _class_token(class_token, pooling, distillation_token):
    reads_token = pooling in ("token", "token_gap")
    if distillation_token and pooling != "token":
        raise InputError(f"distillation_token=True needs pooling='token', received {pooling!r}.")
    if class_token is None:
        return reads_token
    if reads_token and not class_token:
        raise InputError(
            f"pooling={pooling!r} reads the class token: set class_token=True, or pool otherwise."
        )
    return class_token
