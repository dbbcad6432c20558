"""The Vision Transformer."""

import keras

from keras_vit import layers
from keras_vit.errors import InputError
from keras_vit.layers._pairs import as_pair
from keras_vit.layers.patch_extraction import patch_grid
from keras_vit.models.vit_variants import decode_variant

POOLINGS = ("token", "gap", "map")


def vit(
    variant=None,
    *,
    image_size=None,
    num_classes=1000,
    channels=3,
    patch_size=None,
    hidden_dim=None,
    num_layers=None,
    num_heads=None,
    mlp_dim=None,
    stem="linear",
    pooling="token",
    class_token=None,
    num_registers=0,
    position_embedding="learned",
    qk_norm=False,
    layer_scale=None,
    activation="gelu",
    norm_first=True,
    dropout_rate=0.0,
    attention_dropout_rate=0.0,
    drop_path_rate=0.0,
    seed=None,
    dtype=None,
    name="vit",
):
    """Builds a Vision Transformer for images in [0, 255]; scaling is inside.

    Args:
        variant: str such as `"Ti/16"`: a size (Ti, S, B, L, H; for small images Lite-6, Lite-7,
            Micro, Nano, Pico) and a patch in pixels. Or None, with all the fields given.
        image_size: int or `(height, width)` in pixels. Default: the variant's.
        num_classes: int.
        channels: int, 3 for colour and 1 for greyscale.
        patch_size: int or `(height, width)` in pixels; overrides the variant's, as the next four do.
        hidden_dim, num_layers, num_heads, mlp_dim: ints.
        stem: `"linear"` or `"conv"`, see `PatchEmbedding`.
        pooling: `"token"` (the class token), `"gap"` (mean of the patches) or `"map"` (attention).
        class_token: bool, or None: there is one when it is what is pooled.
        num_registers: int, register tokens.
        position_embedding: `"learned"`, `"sincos_1d"`, `"sincos_2d"` or `"none"`.
        qk_norm, layer_scale, activation, norm_first: as in `TransformerBlock`.
        dropout_rate: float in [0, 1), after the position embedding, attention and in the MLPs.
        attention_dropout_rate: float in [0, 1), on the attention scores.
        drop_path_rate: float in [0, 1), of the last block, rising linearly from 0.
        seed: int or None, of all dropouts. Initial weights follow `keras.utils.set_random_seed`.
        dtype: dtype policy of all layers but the logits, which are float32. None: Keras's default.
        name: str.

    Returns:
        A functional `keras.Model` from `(batch, height, width, channels)` to logits
        `(batch, num_classes)`.

    Raises:
        InputError: unknown variant or option, a missing field, or sizes that do not fit together.

    Example:
        >>> vit("Ti/16", num_classes=1000).count_params()
        5717416

    Reference: Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
    """
    sizes = _sizes(variant, image_size, patch_size, hidden_dim, num_layers, num_heads, mlp_dim)
    image_size, patch_size, hidden_dim, num_layers, num_heads, mlp_dim = sizes
    class_token = _class_token(class_token, pooling)
    num_prefix = int(class_token)
    try:
        grid_size = patch_grid((None, *image_size, channels), patch_size)
        images = keras.Input((*image_size, channels), name="images")
        # [0, 255] to [-1, 1], as in https://github.com/google-research/vision_transformer
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype=dtype, name="scaling")(images)
        x = layers.PatchEmbedding(hidden_dim, patch_size, stem=stem, dtype=dtype, name="patch_embedding")(x)
        if class_token:
            x = layers.ClassToken(dtype=dtype, name="class_token")(x)
        if position_embedding != "none":
            x = layers.PositionEmbedding(
                grid_size,
                kind=position_embedding,
                num_prefix_tokens=num_prefix,
                dtype=dtype,
                name="position_embedding",
            )(x)
        if num_registers:
            x = layers.RegisterTokens(
                num_registers, num_prefix_tokens=num_prefix, dtype=dtype, name="registers"
            )(x)
        x = keras.layers.Dropout(dropout_rate, seed=seed, dtype=dtype, name="dropout")(x)
        x = layers.TransformerEncoder(
            num_layers,
            num_heads,
            mlp_dim,
            dropout_rate=dropout_rate,
            attention_dropout_rate=attention_dropout_rate,
            drop_path_rate=drop_path_rate,
            layer_scale=layer_scale,
            qk_norm=qk_norm,
            activation=activation,
            norm_first=norm_first,
            seed=seed,
            dtype=dtype,
            name="encoder",
        )(x)
        if pooling == "map":
            x = layers.AttentionPooling(num_heads, mlp_dim, dtype=dtype, name="pooling")(x)
        else:
            x = layers.TokenPooling(
                pooling, num_prefix_tokens=num_prefix + num_registers, dtype=dtype, name="pooling"
            )(x)
        logits = keras.layers.Dense(num_classes, dtype="float32", name="head")(x)
    except ValueError as error:
        raise InputError(str(error).split("\n")[0]) from error
    return keras.Model(images, logits, name=name)


def _sizes(variant, image_size, patch_size, hidden_dim, num_layers, num_heads, mlp_dim):
    given = {
        "image_size": image_size,
        "patch_size": patch_size,
        "hidden_dim": hidden_dim,
        "num_layers": num_layers,
        "num_heads": num_heads,
        "mlp_dim": mlp_dim,
    }
    if variant is not None:
        row, variant_patch = decode_variant(variant)
        defaults = {**row._asdict(), "patch_size": variant_patch}
        given = {field: defaults[field] if v is None else v for field, v in given.items()}
    missing = [field for field, value in given.items() if value is None]
    if missing:
        raise InputError(f"Without a variant, vit() also needs {', '.join(missing)}.")
    try:
        for field in ("image_size", "patch_size"):
            given[field] = as_pair(given[field], field)
    except ValueError as error:
        raise InputError(str(error)) from error
    for field in ("hidden_dim", "num_layers", "num_heads", "mlp_dim"):
        if given[field] < 1:
            raise InputError(f"Expected {field} >= 1, received {given[field]}.")
    return given.values()


def _class_token(class_token, pooling):
    if pooling not in POOLINGS:
        raise InputError(f"Expected pooling to be one of {', '.join(POOLINGS)}, received {pooling!r}.")
    if class_token is None:
        return pooling == "token"
    if pooling == "token" and not class_token:
        raise InputError("pooling='token' reads the class token: set class_token=True, or pool otherwise.")
    return class_token
