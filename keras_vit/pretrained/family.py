"""What a family of weights is: one mapping table, and what its configuration means for our model."""

from collections.abc import Callable
from typing import NamedTuple

from keras_vit.pretrained.preprocessing import Preprocessing


class Reading(NamedTuple):
    """What a checkpoint says about the model it belongs to."""

    arguments: dict  # of keras_vit.models.vit
    preprocessing: Preprocessing


class Writing(NamedTuple):
    """What is saved beside the tensors."""

    files: dict  # of a name such as config.json to its JSON
    rename: Callable = lambda name: name  # a name in the table to that in the file


class Family(NamedTuple):
    """One family of pretrained weights.

    A new one is a module of `keras_vit.pretrained.families` that makes one of these, and its name in
    `FAMILIES` there.
    """

    name: str
    table: tuple  # of Row, used in both directions
    recognises: Callable  # (config, names) -> bool
    read: Callable  # (config, tensors) -> Reading
    written: Callable | None = None  # (arguments, preprocessing) -> Writing; None: it is only read
    rename: Callable = lambda name: name  # a name in a file to that in the table
    unused: tuple = ()  # regular expressions of names that images have no use for
    format: str | None = "timm"  # the library that reads what is saved
    resampling: str = "antialiased"  # of positions to another grid, as the original: or "bicubic"
