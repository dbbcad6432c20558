"""Finds the images in a folder, and counts what is passed over."""

import collections
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.image_formats import HEIF_HINT, HEIF_SUFFIXES, has_image_suffix, is_image_file

_OF_SYSTEMS = ("__MACOSX", "__pycache__")  # besides those that begin with a dot


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder with the images below it."""

    path: Path
    images: list[str]  # the paths of those directly in it
    folders: dict[str, "Folder"]

    @property
    def with_images(self) -> dict[str, "Folder"]:
        """The folders in it that contain images at any depth."""
        return {name: folder for name, folder in self.folders.items() if any(folder.all_images())}

    def all_images(self) -> Iterator[str]:
        """The paths of all images at any depth, in alphabetical order of the folders."""
        yield from self.images
        for folder in self.folders.values():
            yield from folder.all_images()


def passed_over_words(passed_over: collections.Counter, limit: int | None = None, hints: bool = True) -> str:
    """Returns the most frequent kinds of files that `scan` passed over, each with its number."""
    return ", ".join(
        f"{count:,} {kind}" + (f" ({HEIF_HINT})" if hints and kind in HEIF_SUFFIXES else "")
        for kind, count in passed_over.most_common(limit)
    )


def scan(path: Path, passed_over: collections.Counter, above: frozenset = frozenset()) -> Folder:
    """Reads a folder with all below it, except hidden ones; counts by kind the files that are no images.

    `above` are the folders around it, which links may lead back to.
    """
    images, folders = [], {}
    here = os.path.realpath(path)
    for entry in _entries(path):
        if entry.is_file(follow_symlinks=False) and has_image_suffix(entry.name):  # most of many
            images.append(entry.path)
            continue
        found = Path(entry.path) if entry.is_symlink() else entry  # of a link to itself False, no OSError
        if found.is_dir():
            if os.path.realpath(entry.path) in {*above, here}:
                passed_over["behind a link to a folder above it"] += 1
            else:
                folders[entry.name] = scan(Path(entry.path), passed_over, above | {here})
        elif not found.is_file():
            passed_over["behind a broken link" if entry.is_symlink() else "that is a pipe or a device"] += 1
        elif has_image_suffix(entry.name) or is_image_file(entry.path):
            images.append(entry.path)
        else:
            passed_over[os.path.splitext(entry.name)[1].lower() or "without an ending"] += 1
    return Folder(Path(path), images, folders)


def _entries(path):
    try:
        found = {entry.name: entry for entry in os.scandir(path)}
    except OSError as error:
        raise InputError(f"The folder {path} cannot be read: {error.strerror}.") from error
    return [found[name] for name in sorted(found) if name[0] != "." and name not in _OF_SYSTEMS]
