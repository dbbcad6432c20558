"""The families of weights that can be loaded and saved, in the order in which a file is tried."""

from keras_vit.errors import InputError
from keras_vit.pretrained.families import (
    google,
    hf_dinov2,
    hf_dinov3,
    hf_towers,
    hf_vit,
    timm_dinov3,
    timm_eva02,
    timm_vit,
)
from keras_vit.pretrained.mapping import listed

FAMILIES = (
    timm_dinov3.FAMILY,
    timm_dinov3.SWIGLU_FAMILY,
    timm_eva02.FAMILY,
    timm_eva02.LARGE_FAMILY,
    timm_vit.FAMILY,
    hf_vit.FAMILY,
    hf_vit.DEIT_FAMILY,
    hf_dinov2.FAMILY,
    hf_dinov2.SWIGLU_FAMILY,
    hf_dinov3.FAMILY,
    hf_dinov3.SWIGLU_FAMILY,
    hf_towers.CLIP_FAMILY,
    hf_towers.SIGLIP_FAMILY,
    google.FAMILY,
    google.BIG_VISION_FAMILY,
)


def family_of(config, tensors):
    """Returns the family that recognises a checkpoint.

    Raises:
        InputError: none does, or the configuration's values are of other types than any library's.
    """
    try:
        for family in FAMILIES:
            if family.recognises(config, {family.rename(name) for name in tensors.names()}):
                return family
    except (TypeError, AttributeError) as error:
        raise InputError(
            f"{tensors.where}: the configuration is of no known library ({type(error).__name__}: {error})."
        ) from error
    kind = config.get("architecture") or config.get("model_type")
    raise InputError(
        f"{tensors.where} is of no known family{f' ({kind})' if kind else ''}: expected "
        f"{', '.join(f.name for f in FAMILIES)}; received {listed(tensors.names()) or 'no tensors'}."
    )
