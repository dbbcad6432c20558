"""The families of weights that can be loaded and saved, in the order in which a file is tried."""

from keras_vit.errors import InputError, listed
from keras_vit.pretrained.families import (
    google,
    hf_dinov2,
    hf_dinov3,
    hf_towers,
    hf_vit,
    timm_dinov3,
    timm_eva02,
    timm_levit,
    timm_repvit,
    timm_vit,
)
from keras_vit.pretrained.family import Family
from keras_vit.pretrained.mapping import MAX_LISTED
from keras_vit.pretrained.tensors import Tensors

FAMILIES = (
    timm_dinov3.FAMILY,
    timm_eva02.FAMILY,
    timm_vit.FAMILY,
    timm_levit.FAMILY,
    timm_repvit.FAMILY,
    hf_vit.FAMILY,
    hf_dinov2.FAMILY,
    hf_dinov3.FAMILY,
    hf_towers.CLIP_FAMILY,
    hf_towers.SIGLIP_FAMILY,
    google.FAMILY,
    google.BIG_VISION_FAMILY,
)


def family_of(config: dict, tensors: Tensors) -> Family:
    """Returns the family that recognizes a checkpoint."""
    try:
        for family in FAMILIES:
            if family.recognizes(config, tensors):
                return family
    except (TypeError, AttributeError) as error:
        raise InputError(
            f"{tensors.where}: the configuration is not of a known library ({type(error).__name__}: {error})."
        ) from error
    kind = config.get("architecture") or config.get("model_type")
    received = listed(sorted(tensors), MAX_LISTED) or "no tensors"
    raise InputError(
        f"{tensors.where} belongs to no known family{f' ({kind})' if kind else ''}: expected "
        f"{', '.join(f.name for f in FAMILIES)}; received {received}."
    )
