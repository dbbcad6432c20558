"""Files in a zip archive behind a TFLite model, where apps look for them, such as `labels.txt`."""

import os
import zipfile
from pathlib import Path

from keras_vit.io.files import MAX_TEXT_SIZE

EXTRAS = "assets.extra"  # the folder of a SavedModel that TensorFlow leaves to others


def attach_files(path, files: dict[str, bytes]):
    """Appends files, which apps read in place, to a TFLite file; the same files give the same bytes."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # with a fixed date


def attached_file(path, name: str) -> bytes | None:
    """Returns the content of a file in a TFLite file, or of one that a SavedModel's folder has as an extra.

    None if there is none, or none of a sensible size in a TFLite file.
    """
    if os.path.isdir(path):
        file = Path(path, EXTRAS, name)
        return file.read_bytes() if file.is_file() else None
    try:
        with zipfile.ZipFile(path) as archive:
            too_large = archive.getinfo(name).file_size > MAX_TEXT_SIZE
            return None if too_large else archive.read(name)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, OSError, RuntimeError):
        return None
