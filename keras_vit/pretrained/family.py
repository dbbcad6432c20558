"""A family of pretrained weights: its mapping table, and how its configuration determines our model."""

from collections.abc import Callable
from typing import NamedTuple

from keras_vit.errors import InputError
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.models import vit


class Reading(NamedTuple):
    """What a checkpoint determines about its model."""

    arguments: dict  # of the family's builder
    preprocessing: Preprocessing
    resampling: str = "antialiased"  # of positions, as the original does; see `resampling.resample`
    with_head: dict = {}  # other arguments where a head is added to weights without one, as the library does
    grid: tuple | None = None  # (rows, columns) of the positions; None: those of the image size


class Export(NamedTuple):
    """What is saved next to the tensors."""

    files: dict  # of a name such as config.json to its JSON
    rename: Callable = lambda name: name  # a name in the table to that in the file
    added: dict = {}  # tensors that our model does not have: a name to an array


def require(arguments, **expected):
    """Refuses to save a model whose arguments differ from `field=value`, or are none of `field=(values)`.

    The library would build another model. The message follows the name of a family.
    """
    for field, value in expected.items():
        values = value if isinstance(value, tuple) else (value,)
        if arguments[field] not in values:
            wanted = " or ".join(map(repr, values))
            raise InputError(f"needs {field}={wanted}, received {arguments[field]!r}")


class Family(NamedTuple):
    """One family of pretrained weights: a module of `families`, and a row of `FAMILIES` there."""

    name: str
    table: Callable  # (arguments) -> tuple of Row, used in both directions
    signatures: tuple  # sets of names; a file of the family contains one of the sets
    read: Callable  # (config, tensors) -> Reading
    export: Callable | None = None  # (arguments, preprocessing, labels) -> Export; None: read only
    accepts: Callable = lambda config, names: True  # what else a file needs
    prefixes: tuple = ()  # of names in a file; the table's names lack the first
    unused: tuple = ()  # regular expressions of names that image models do not use
    format: str | None = "timm"  # the library that reads saved files
    build: Callable = vit  # of keras_vit.models
    any_size: bool = True  # whether the weights fit images of another size

    def recognizes(self, config, names):
        """Returns whether a file with these names, prefixes included, is of the family."""
        names = set(map(self.rename, names))
        return any(signature <= names for signature in self.signatures) and self.accepts(config, names)

    def rename(self, name):
        """Returns the name in the table of a name in a file."""
        prefix = next((prefix for prefix in self.prefixes if name.startswith(prefix)), "")
        return name.removeprefix(prefix)
