"""What a family of weights is: one mapping table, and what its configuration means for our model."""

from collections.abc import Callable
from typing import NamedTuple

from keras_vit.errors import InputError
from keras_vit.pretrained.preprocessing import Preprocessing


class Reading(NamedTuple):
    """What a checkpoint says about the model it belongs to."""

    arguments: dict  # of keras_vit.models.vit
    preprocessing: Preprocessing
    resampling: str = "antialiased"  # of positions, as the original does; see `resampling.resample`
    with_head: dict = {}  # arguments that the library has otherwise where it puts a head on such weights


class Writing(NamedTuple):
    """What is saved beside the tensors."""

    files: dict  # of a name such as config.json to its JSON
    rename: Callable = lambda name: name  # a name in the table to that in the file
    added: dict = {}  # tensors that our model lacks: a name to a function of the others


def require(arguments, **expected):
    """Refuses to write a model that a library builds otherwise; the message follows a family's name.

    Args:
        arguments: of `keras_vit.models.vit`.
        expected: field=value, or field=(values).

    Raises:
        InputError: an argument is another.
    """
    for field, value in expected.items():
        values = value if isinstance(value, tuple) else (value,)
        if arguments[field] not in values:
            wanted = " or ".join(map(repr, values))
            raise InputError(f"needs {field}={wanted}, received {arguments[field]!r}")


class Family(NamedTuple):
    """One family of pretrained weights.

    A new one is a module of `keras_vit.pretrained.families` that makes one of these, and its name in
    `FAMILIES` there.
    """

    name: str
    table: tuple  # of Row, used in both directions
    recognises: Callable  # (config, names) -> bool
    read: Callable  # (config, tensors) -> Reading
    written: Callable | None = None  # (arguments, preprocessing, labels) -> Writing; None: it is only read
    rename: Callable = lambda name: name  # a name in a file to that in the table
    unused: tuple = ()  # regular expressions of names that images have no use for
    format: str | None = "timm"  # the library that reads what is saved
