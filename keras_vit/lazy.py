"""Names of a package that are imported when they are first used (PEP 562)."""

import importlib
from collections.abc import Callable


def lazy_names(package: str, homes: dict[str, str | None]) -> tuple[Callable, Callable]:
    """Returns the `__getattr__` and the `__dir__` of a package.

    `homes` maps each public name to the module that defines it, relative to the package; None: the name is a
    subpackage.
    """

    def find(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        module = importlib.import_module(f"{package}.{home or name}")
        return getattr(module, name) if home else module

    return find, lambda: sorted(homes)
