"""Loads pretrained weights into one of our models."""

from keras_vit.models import vit
from keras_vit.pretrained.checkpoint import open_checkpoint
from keras_vit.pretrained.families import family_of
from keras_vit.pretrained.mapping import read_weights
from keras_vit.pretrained.tensors import Renamed

HEADS = ("head/", "distillation_head/")


def load(source, num_classes=None, image_size=None, *, revision=None, **arguments):
    """Loads pretrained weights of timm, Hugging Face or Google into a model of ours.

    Args:
        source: str or Path: a hub id (`"timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"`), a folder with
            config.json and weights, or a file (`.safetensors`, `.npz`, `.bin`, `.pth`).
        num_classes: int, classes of a new head; 0 for none. None: the head of the weights, if any.
        image_size: int or `(height, width)` in pixels. None: that of the weights. Positions are
            resampled as the original library does.
        revision: str, branch, tag or commit on the hub.
        arguments: others of `keras_vit.models.vit` that change no weight, such as `drop_path_rate`.

    Returns:
        A functional `keras.Model` for images in [0, 255]; the weights' own scaling is inside.

    Raises:
        InputError: no such source, no known family, or tensors that are missing, unused or ill-shaped.
    """
    config, tensors = open_checkpoint(source, revision)
    family = family_of(config, tensors)
    tensors = Renamed(tensors, family.rename)
    reading = family.read(config, tensors)
    given = {**reading.arguments, **arguments}
    new_head = num_classes is not None and num_classes != given["num_classes"]
    if new_head:
        given["num_classes"] = num_classes
    model = vit(**given)
    read_weights(model, family.table, tensors, family.unused, HEADS if new_head else ())
    return model
