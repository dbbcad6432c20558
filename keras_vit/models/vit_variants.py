"""Sizes of Vision Transformers, one row each."""

import re
from typing import NamedTuple

from keras_vit.errors import InputError


class ViTSize(NamedTuple):
    """One row of the table: what a variant's name fixes."""

    hidden_dim: int
    num_layers: int
    num_heads: int
    mlp_dim: int
    image_size: int  # pixels, when none is given


SIZES = {
    # Touvron et al. 2021 (DeiT), table 1, https://arxiv.org/abs/2012.12877
    "Ti": ViTSize(192, 12, 3, 768, 224),
    "S": ViTSize(384, 12, 6, 1536, 224),
    # Dosovitskiy et al. 2021, table 1, https://arxiv.org/abs/2010.11929
    "B": ViTSize(768, 12, 12, 3072, 224),
    "L": ViTSize(1024, 24, 16, 4096, 224),
    "H": ViTSize(1280, 32, 16, 5120, 224),
    # Hassani et al. 2021, table 1 (ViT-Lite), https://arxiv.org/abs/2104.05704
    "Lite-6": ViTSize(256, 6, 4, 512, 32),
    "Lite-7": ViTSize(256, 7, 4, 512, 32),
    # Ours, for small images: 32, 28 and 8 pixels.
    "Micro": ViTSize(192, 9, 3, 768, 32),
    "Nano": ViTSize(128, 6, 4, 256, 28),
    "Pico": ViTSize(64, 4, 4, 128, 8),
}


def decode_variant(variant):
    """Splits a name such as `"Ti/16"` into `(ViTSize, patch_size)`."""
    match = re.fullmatch(r"(.+)/([1-9][0-9]*)", variant) if isinstance(variant, str) else None
    if not match or match[1] not in SIZES:
        raise InputError(
            f"Unknown ViT variant {variant!r}. Expected SIZE/PATCH, such as 'Ti/16', with one of the "
            f"sizes {', '.join(SIZES)}."
        )
    return SIZES[match[1]], int(match[2])
