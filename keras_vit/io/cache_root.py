"""Where commands keep what they would otherwise decode or download again."""

import os
from pathlib import Path

VARIABLE, OFF = "KERAS_VIT_CACHE", "off"


def is_off() -> bool:
    """Returns whether `KERAS_VIT_CACHE` is `off`, in any case."""
    return os.environ.get(VARIABLE, "").lower() == OFF


def cache_root() -> Path:
    """Returns the folder that `KERAS_VIT_CACHE` names, by default `keras_vit` in the user's cache folder.

    That is `XDG_CACHE_HOME`, or `~/.cache`. `KERAS_VIT_CACHE=off` is for those who can do without: the folder
    is the default one.
    """
    named = os.environ.get(VARIABLE)
    if not named or is_off():
        named = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "keras_vit")
    return Path(named).expanduser()
