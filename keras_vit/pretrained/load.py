"""Loads pretrained weights into one of our models."""

from keras_vit.errors import InputError
from keras_vit.keras_internals import initialize, uninitialized_weights
from keras_vit.layers._pairs import as_pair
from keras_vit.layers.patch_extraction import patch_grid
from keras_vit.models import vit
from keras_vit.pretrained.checkpoint import open_checkpoint
from keras_vit.pretrained.families import family_of
from keras_vit.pretrained.mapping import read_weights
from keras_vit.pretrained.own import HEADS, POSITIONS, load_own, own_file, preprocessing_of
from keras_vit.pretrained.resampling import Resampled
from keras_vit.pretrained.tensors import Renamed


def load(source, num_classes=None, image_size=None, *, revision=None, new_head=False, **arguments):
    """Loads pretrained weights of timm, Hugging Face, Google or a training of ours into a model of ours.

    Args:
        source: str or Path: a hub id (`"timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"`), a folder with
            config.json and weights, a file (`.safetensors`, `.npz`, `.bin`, `.pth`), or what was trained
            here: a run folder or a `.keras` file.
        num_classes: int, classes of a new head; 0 for none. None: the head of the weights, if any.
        image_size: int or `(height, width)` in pixels. None: that of the weights. Positions are
            resampled as the original library does.
        revision: str, branch, tag or commit on the hub.
        new_head: bool, initialize the head again even where the number of classes stays.
        arguments: others of `keras_vit.models.vit` that change no weight, such as `drop_path_rate`.

    Returns:
        A functional `keras.Model` for images in [0, 255]; the weights' own scaling is inside. Its
        `preprocessing` resizes and crops images as the weights expect; it is not saved with the model.

    Raises:
        InputError: no such source, no known family, or tensors that are missing, unused or ill-shaped.
    """
    if num_classes is not None and (type(num_classes) is not int or num_classes < 0):
        raise InputError(f"Expected num_classes to be a number of classes or 0, received {num_classes!r}.")
    file = own_file(source)
    if file is not None:
        return load_own(file, num_classes, image_size, new_head, arguments)
    family, tensors, reading = _open(source, revision)
    head_added = num_classes and not reading.arguments["num_classes"]
    given = {**reading.arguments, **(reading.with_head if head_added else {}), **arguments}
    if image_size is not None:
        given, tensors = _for_image_size(image_size, given, tensors, family, reading.resampling)
    new_head |= num_classes not in (None, given["num_classes"])
    if num_classes is not None:
        given["num_classes"] = num_classes
    with uninitialized_weights():
        model = vit(**given)
    read_weights(model, family.table, tensors, family.unused, HEADS if new_head else ())
    initialize(model)
    model.preprocessing = reading.preprocessing.for_size(given["image_size"])
    return model


def preprocessing(source, image_size=None, *, revision=None):
    """Returns the `Preprocessing` that belongs to weights, without building their model.

    Args:
        source, image_size, revision: as in `load`.

    Raises:
        InputError: as `load`.
    """
    file = own_file(source)
    if file is not None:
        own = preprocessing_of(file)
        return own if image_size is None else own.for_size(image_size)
    _, _, reading = _open(source, revision)
    return reading.preprocessing.for_size(image_size or reading.arguments["image_size"])


def _open(source, revision):
    config, tensors = open_checkpoint(source, revision)
    family = family_of(config, tensors)
    tensors = Renamed(tensors, family.rename)
    try:
        reading = family.read(config, tensors)
        _check_arguments(reading.arguments, tensors)
        reading.preprocessing.check(tensors.where)
        return family, tensors, reading
    except InputError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"{tensors.where}: the configuration or the tensors are not those of {family.name} "
            f"({type(error).__name__}: {error})."
        ) from error


def _check_arguments(arguments, tensors):
    for field in ("hidden_dim", "num_layers", "num_heads", "mlp_dim", "num_classes", "channels"):
        if type(arguments[field]) is not int:
            raise TypeError(f"{field} is {arguments[field]!r}")
    if arguments["num_layers"] > len(tensors.names()):  # which would take long to be found missing
        raise ValueError(f"num_layers is {arguments['num_layers']:,}")
    for field in ("pixel_mean", "pixel_std"):
        if len(arguments[field]) != arguments["channels"]:
            raise ValueError(f"{field} is {arguments[field]} for {arguments['channels']} channels")
    if type(arguments.get("qkv_bias", True)) is not bool:
        raise TypeError(f"qkv_bias is {arguments['qkv_bias']!r}")
    epsilon = arguments.get("epsilon", 0.0)
    if type(epsilon) is not float or not 0 <= epsilon < 1:
        raise ValueError(f"the epsilon of its layer normalisation is {str(epsilon)[:80]}")


def _for_image_size(image_size, arguments, tensors, family, kind):
    try:
        size, patch = as_pair(image_size, "image_size"), arguments["patch_size"]
        old, new = (patch_grid((None, *s, 3), patch) for s in (arguments["image_size"], size))
    except ValueError as error:
        raise InputError(str(error)) from error
    name = next((row.theirs for row in family.table if row.ours == POSITIONS), None)
    if old != new and name in tensors:
        tensors = Resampled(tensors, name, (old, new), kind)
    return {**arguments, "image_size": size}, tensors
