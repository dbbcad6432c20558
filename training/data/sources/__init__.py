"""The data sources, one module for each. A new one is a module here.

A spec is `NAME` or `NAME:ARGUMENT`, where NAME is the module's name. Each module defines:

- `ARGUMENT`: str, what follows the colon, as error messages show it, or None when nothing does. `"PATH"` is
  a path, of which the data's name contains the last part only.
- `load(argument, options)`: returns a dict of `Split` with `"train"` and perhaps `"validation"` and `"test"`,
  and a tuple of the class names; `options` are `LoadOptions`.
"""

import dataclasses
import importlib
import pkgutil
from pathlib import Path, PurePath

from keras_vit.errors import InputError


@dataclasses.dataclass(frozen=True)
class LoadOptions:
    """Options of `load_data` that concern the source. Each source uses those it needs.

    Attributes:
        image_size: `(height, width)` in pixels, or None for the source's own.
        data_dir: str, Path or None, the folder of prepared TFDS sets.
        skip_broken: bool, leave out images that cannot be read, with a warning.
    """

    image_size: tuple[int, int] | None = None
    data_dir: str | Path | None = None
    skip_broken: bool = False


def find_source(spec):
    """Finds the source of a spec.

    Args:
        spec: str, such as `"digits"` or `"npz:PATH"`.

    Returns:
        The source's module, the argument (`""` for none), and a short name of the data.

    Raises:
        InputError: there is no such source, or it needs an argument or takes none.
    """
    sources = {
        m.name: importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    }
    name, colon, argument = spec.partition(":") if isinstance(spec, str) else (None, "", "")
    source = sources.get(name)
    if source is None or not bool(source.ARGUMENT) == bool(colon) == bool(argument):
        *others, last = (f"{name}:{s.ARGUMENT}" if s.ARGUMENT else name for name, s in sources.items())
        raise InputError(f"Unknown data {spec!r}. Expected {', '.join(others)} or {last}.")
    return (
        source,
        argument,
        name + colon + (PurePath(argument).name if source.ARGUMENT == "PATH" else argument),
    )
