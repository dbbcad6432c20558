"""The data sources, one module for each. A new one is a module here.

A spec is `NAME` or `NAME:ARGUMENT`, where NAME is the module's name. Each module defines:

- `ARGUMENT`: str, what follows the colon, as error messages show it, or None when nothing does. `"PATH"` is
  a path; the data's name contains only its last part.
- `load(argument, options)`: returns a `Loaded`; `options` are `LoadOptions`.
- `FIELDS`: of recipes, those that have an effect with this source and not with each. Without: none.
- `vary_in_size(argument, data_dir)`: returns whether its images do. Without: whether they are decoded, that
  is, whether `FIELDS` has `DECODED_FIELDS`.
"""

import dataclasses
import functools
import importlib
import os
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_vit.errors import InputError, listed, nearest
from keras_vit.importing import has_module, is_name
from keras_vit.io.files import source_of
from keras_vit.training.data import given
from keras_vit.training.data.encoded import DECODED_FIELDS


@dataclasses.dataclass(frozen=True)
class LoadOptions:
    """Options of `load_data` that concern the source. Each source uses those it needs."""

    image_size: tuple[int, int] | None = None  # (height, width), pixels; None for the source's own
    data_dir: str | Path | None = None
    skip_broken: bool = False
    class_folders: str | None = None  # see `keras_vit.training.data.layout.read_layout`
    prepare: Callable | None = None  # of a uint8 image to one of image_size, where it is not stretched
    columns: Mapping[str, str | None] = dataclasses.field(default_factory=dict)  # of a table, see `tables`
    sixteen_bit: str | None = None  # "data": 16-bit images are scaled by the values that occur
    examine: bool = False  # read all images of any number of files before the start
    caching: bool = True  # keep decoded images on the disk
    copied: bool = False  # image files are not decoded for a model, so no grey levels get lost
    label_kind: str | None = None  # of label_kinds.KINDS; None: as the labels show
    group: str | None = None  # see `keras_vit.training.data.groups`


def source_names() -> list[str]:
    """Returns the names that a spec can start with."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


@functools.cache
def _sources():
    """The modules by name."""
    return {name: importlib.import_module(f"{__name__}.{name}") for name in source_names()}


def specs_with(field: str) -> list[str]:
    """Returns the specs of the sources with which a field of recipes has an effect.

    An asterisk stands for any argument.

    >>> specs_with("class_folders")
    ['folder:*']
    """
    found = [(name, source) for name, source in _sources().items() if field in getattr(source, "FIELDS", ())]
    return [f"{name}:*" if source.ARGUMENT else name for name, source in found]


def vary_in_size(spec: Any, data_dir: str | Path | None = None) -> bool:
    """Returns whether the images of a spec vary in size, as photographs do; of other data never.

    >>> vary_in_size("folder:photos"), vary_in_size("digits")
    (True, False)
    """
    name, _, argument = spec.partition(":") if isinstance(spec, str) else ("", "", "")
    source = _sources().get(name)
    if hasattr(source, "vary_in_size"):
        return source.vary_in_size(argument, data_dir)
    return {*DECODED_FIELDS} <= {*getattr(source, "FIELDS", ())}


def check_read(spec: str, given: Mapping[str, object]):
    """Raises InputError where one of some fields is given, and the source of a spec does not read it."""
    source = find_source(spec)[0]
    for name, value in given.items():
        if value and name not in getattr(source, "FIELDS", ()):
            raise InputError(f"{spec} has no {name}, which is for {listed(specs_with(name))}. Leave it out.")


def find_source(spec: str):
    """Returns a source's module, its argument (`""` for none), and a short name of the data."""
    sources = _sources()
    name, colon, argument = spec.partition(":") if isinstance(spec, str) else (None, "", "")
    meant = _meant(spec, name, argument, sources)
    if is_name(spec) and name not in sources and meant is None:
        return given, spec, spec
    source = sources.get(name)
    if source is None or not bool(source.ARGUMENT) == bool(colon) == bool(argument):
        hint = "" if meant is None else f" Did you mean {meant}?"
        *others, last = (f"{name}:{s.ARGUMENT}" if s.ARGUMENT else name for name, s in sources.items())
        known = f"{', '.join(others)}, {last} or module:name"
        raise InputError(f"Unknown data {spec!r}. Expected {known}; of text text:FILE or pairs:FILE.{hint}")
    shown = os.path.basename(os.path.abspath(argument)) if source.ARGUMENT == "PATH" else argument
    return source, argument, name + colon + shown


def _meant(spec, name, argument, sources):
    """The spec that may have been meant: of a path without its source, or of a source with a slip."""
    if name in sources or not isinstance(spec, str):
        return None
    if os.path.exists(spec):
        found = source_of(spec)
        return found and f"{found}:{spec}"
    near = nearest(name, sources, cutoff=0.75)
    if near is None or has_module(name):
        return None
    return f"{near}:{argument}" if argument else near
