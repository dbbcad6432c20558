"""What reading all images of a data set finds; it is kept, so that each file is examined once."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.images import Changes
from keras_vit.io.json_files import read_json, write_json
from keras_vit.io.progress import mapped
from keras_vit.training.data.decoded import Decoder
from keras_vit.training.data.kept import identity
from keras_vit.training.data.near_duplicates import thumbnail_of_file

_CHUNK = 256  # images between two steps of the progress bar
FILE = "examined.json"


@dataclasses.dataclass(frozen=True)
class Examination:
    """The images that cannot be read, and what decoding changed of the others."""

    broken: dict[int, str]  # the message by the index of an item
    changes: Changes


def examine(decoder: Decoder, indices=None, as_thumbnails: bool = False) -> Examination:
    """Decodes all items, or some, on all cores, with a progress bar for many.

    The cache gets the images, or the decoder `as_thumbnails`, which the search for near-duplicates reads.
    """
    changes, broken = Changes(), {}
    indices = np.arange(len(decoder.items)) if indices is None else indices

    def read(index):
        try:
            if as_thumbnails:
                decoder.thumbnails[index] = thumbnail_of_file(decoder, index, changes)
            else:
                decoder.keep(index, decoder.decode(index, changes))
        except InputError as error:
            broken[index] = str(error)

    for _ in mapped(read, indices.tolist(), "reading images", _CHUNK):
        pass
    return Examination(dict(sorted(broken.items())), changes)


def again(decoder: Decoder, kept: Examination) -> Examination:
    """Reads images once more that could not be read: a package or a permission may be there now."""
    found = examine(decoder, np.array([*kept.broken]))
    found.changes.add(kept.changes)
    return found


def kept_examination(folder: Path | None, stamps: np.ndarray) -> Examination | None:
    """Returns what was found when the same files were examined before, or None."""
    if folder is None or not (folder / FILE).is_file():
        return None
    try:
        kept = read_json(folder / FILE)
        if kept["files"] != identity(stamps):
            return None
        broken = {int(index): text for index, text in kept["broken"].items()}
        return Examination(broken, Changes(**kept["changes"]))
    except (InputError, KeyError, TypeError, ValueError):  # of another version
        return None


def keep_examination(folder: Path | None, stamps: np.ndarray, found: Examination):
    """Keeps what was found for the same files."""
    content = {"files": identity(stamps), **dataclasses.asdict(found)}
    if folder is not None:
        with contextlib.suppress(InputError):  # a folder that cannot be written
            write_json(folder / FILE, content)
