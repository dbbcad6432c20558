"""Paths of images in the rows of a table."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from keras_vit.errors import counted, shortened

ABSENT = None  # in place of a path that a row does not have
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def image_paths(values: Sequence, folder: Path, column: str) -> tuple[list[str | None], list[str]]:
    """Returns the path of each row, None of an empty one, and lines on how they were read.

    Paths are relative to a folder; `~` is the home folder. Backslashes separate folders where no file has
    them in its name.
    """
    texts = ["" if value is None or value != value else str(value).strip() for value in values]
    paths = [_path(text, folder) for text in texts]
    if os.sep == "\\" or not any("\\" in text for text in texts):
        return paths, []
    with_slashes = [
        _path(text.replace("\\", "/"), folder) if "\\" in text and not os.path.exists(path) else path
        for text, path in zip(texts, paths, strict=True)
    ]
    changed = [row for row, path in enumerate(with_slashes) if path != paths[row] and os.path.isfile(path)]
    for row in changed:
        paths[row] = with_slashes[row]
    if not changed:
        return paths, []
    count = counted(len(changed), "path has", "paths have")
    return paths, [f"{count} backslashes in {column}, which were read as slashes"]


def why_absent(paths: Iterable[str], folder: Path) -> str:
    """Returns why files are not there, sentences with a space behind, or `""` where none is named."""
    paths = [*paths]
    urls = [path for path in paths if _URL.match(path)]
    if urls:
        return (
            f"{counted(len(urls), 'row has', 'rows have')} a URL, such as {shortened(urls[0])}: download the "
            "files, and name their paths. "
        )
    if with_ending := _with_ending(paths):
        return f"{with_ending} is there: write the endings of the files too. "
    backslashes = " with slashes, not backslashes" if any("\\" in path for path in paths) else ""
    return f"Paths are relative to {folder.absolute()}{backslashes}. " if paths else ""


def _with_ending(paths):
    """A file that differs from the first path by an ending alone, or None."""
    folder, name = os.path.split(paths[0]) if paths else ("", "")
    if not name or not os.path.isdir(folder):
        return None
    with os.scandir(folder) as entries:
        return next((entry.path for entry in entries if os.path.splitext(entry.name)[0] == name), None)


def _path(text, folder):
    if not text:
        return ABSENT
    if "://" in text and _URL.match(text):
        return text
    path = os.path.join(folder, text)
    return path if not text.startswith("~") or os.path.exists(path) else os.path.expanduser(text)
