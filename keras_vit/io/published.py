"""What others get of a run names no folder of the computer that it was trained on."""

import json
import ntpath
import posixpath
from typing import Any


def without_folders(value: Any) -> Any:
    """Returns a value of JSON with the last part of each path that leads out of the current folder.

    Such a path is absolute, or begins with `..` or `~`; it may stand after `folder:` and the like, or before
    the name of an own part.

    >>> without_folders({"data": "folder:/home/me/photos", "distill": "../runs/big", "pretrained": "me/vit"})
    {'data': 'folder:photos', 'distill': 'big', 'pretrained': 'me/vit'}
    >>> without_folders("/home/me/my_parts.py:loss")
    'my_parts.py:loss'
    """
    if isinstance(value, dict):
        return {name: without_folders(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(without_folders, value))
    if not isinstance(value, str):
        return value
    kind, colon, argument = value.partition(":")
    if len(kind) > 1 and colon and not argument.startswith("//"):  # no drive of Windows, no address
        return f"{_last(kind)}:{_last(argument)}"
    return _last(value)


def published(file) -> bytes:
    """Returns a JSON file of a run as it is published."""
    return json.dumps(without_folders(json.loads(file.read_text("utf-8"))), indent=2).encode()


def _last(path):
    if ntpath.splitdrive(path)[0] or path.startswith("..\\"):
        return ntpath.basename(path.rstrip("\\/"))
    return posixpath.basename(path.rstrip("/")) if path.startswith(("/", "../", "~")) else path
