"""A data set in a few large files: what `keras-vit pack` writes and `shards:PATH` reads.

The folder contains `shards.json`, which names splits, classes and files; for each split `SPLIT.npz` with the
label, the size in bytes and the content's hash of each image, and its weight and its group where these are
known; and `SPLIT-00000.arrayrecord` and so on, whose
records are image files, in that order. ArrayRecord has random access, and notices changed bytes:
https://github.com/google/array_record
"""

import bisect
import contextlib
import errno
import functools
import glob
import io
import shutil
import threading
from pathlib import Path

import numpy as np
from PIL import Image

from keras_vit.errors import InputError, counted, first_line
from keras_vit.io.archive import read_arrays
from keras_vit.io.files import atomic_path, is_full_disk, make_folder
from keras_vit.io.image_formats import formats
from keras_vit.io.images import decode_reduced, resize_image
from keras_vit.io.json_files import read_json, write_json
from keras_vit.io.label_kinds import CLASS, KINDS
from keras_vit.io.locking import exclusively
from keras_vit.io.progress import mapped
from keras_vit.io.sixteen_bits import has_16_bits
from keras_vit.training.data.cache import free_space
from keras_vit.training.data.dataset import ImageData
from keras_vit.training.data.groups import group_names
from keras_vit.training.data.items import digest

DESCRIPTION = "shards.json"
SHARD_SIZE = 256 * 1024**2  # bytes of images, at least, in each file but the last of a split
JPEG_QUALITY = 95  # of images that are reduced
_FORMAT = 1
_ARRAYS = {"contents": np.uint64, "labels": None, "sizes": np.int64}  # labels have the type of their kind
_OPTIONAL = {"weights": np.float32, "groups": np.str_}  # in all splits, or in none
GROUPED = "column:group"  # how packed images are grouped
_OPTIONS = "group_size:1,uncompressed"  # each image is read alone; image files do not shrink
_CHUNK = 256  # images between two steps of the progress bar


class ShardItems:
    """The images of all splits of a folder, one split after another.

    See `keras_vit.training.data.items`. `labels` are those of all images, and so are `weights`, or None;
    `rows` says for each split which images are its own, and `table` has the groups, if any.
    """

    def __init__(self, folder: Path, splits: dict[str, list[dict]]):
        self._folder = folder
        self._files = [file for files in splits.values() for file in files]
        found = {split: _arrays(folder / f"{split}.npz") for split in splits}
        self.labels, self.sizes, self._contents = (
            np.concatenate([arrays[key] for arrays in found.values()])
            for key in ("labels", "sizes", "contents")
        )
        self.weights, groups = (
            np.concatenate([arrays[key] for arrays in found.values()])
            if all(key in arrays for arrays in found.values())
            else None
            for key in ("weights", "groups")
        )
        self.table = {} if groups is None else {"group": groups.tolist()}
        counts = [sum(file["images"] for file in files) for files in splits.values()]
        ends = np.cumsum(counts).tolist()
        self.rows = {s: np.arange(end - n, end) for s, end, n in zip(splits, ends, counts, strict=True)}
        self._starts = np.cumsum([0, *(file["images"] for file in self._files)]).tolist()
        self._readers, self._locks = [None] * len(self._files), [threading.Lock() for _ in self._files]
        self._check(found)

    def __len__(self):
        return len(self.labels)

    def read(self, index: int) -> bytes:
        """Returns the bytes of an image file."""
        shard = bisect.bisect_right(self._starts, index) - 1
        path = self._folder / self._files[shard]["name"]
        with self._locks[shard]:
            if self._readers[shard] is None:
                self._readers[shard] = _opened(path)
            try:
                (content,) = self._readers[shard].read([index - self._starts[shard]])
            except (RuntimeError, ValueError, IndexError) as error:
                raise _damaged(path, first_line(error)) from error
        return content

    def name(self, index: int) -> str:
        """Returns what messages call an image."""
        return f"image {self.short_name(index)} of {self._folder}"

    def short_name(self, index: int) -> str:
        """Returns what messages call an image that name the folder too."""
        split, rows = next((s, rows) for s, rows in self.rows.items() if index <= rows[-1])
        return f"{index - int(rows[0])} in {split}"

    def stamps(self) -> np.ndarray:
        """Returns a uint64 for each image that changes with it."""
        return self._contents

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal files."""
        return self._contents

    def _check(self, found):
        """Finds files that are absent or cut; changed bytes are found when they are read."""
        for split, arrays in found.items():
            if len(arrays["labels"]) != len(self.rows[split]):
                raise _damaged(
                    self._folder / f"{split}.npz", f"it has {counted(len(arrays['labels']), 'image')}"
                )
        for file in self._files:
            path = self._folder / file["name"]
            size = path.stat().st_size if path.is_file() else 0
            if size != file["bytes"]:
                raise _damaged(path, f"it has {size:,} bytes of {file['bytes']:,}")


def pack(data: ImageData, out: Path, image_size: int | None = None, group: str | None = None) -> list[dict]:
    """Writes all splits of a data set, with the splits as they are.

    Args:
        data: ImageData of image files, which are copied, or of arrays of 1 or 3 channels, which become PNGs.
        out: Path of the new folder.
        image_size: int, pixels of the shorter side to which larger images are reduced, files as JPEG of
            quality 95, except those with transparent parts and those of 16 bits; None leaves all as they
            are.
        group: str, as `load_data` had it: which images stay together, also when other splits are made of
            them. None for none.

    Returns:
        A dict for each file, with its name, its split, and the numbers of its images and bytes.

    Raises:
        InputError: a folder that is in use, a full disk, or images that cannot be read.
    """
    if data.image_shape[-1] not in (1, 3):
        raise InputError(f"Expected images of 1 or 3 channels, received {data.image_shape[-1]}.")
    groups = {} if group is None else group_names(data.splits, group, data.name)
    with _alone(out), atomic_path(out, DESCRIPTION) as folder:
        _check_space(copied_bytes(data), out, image_size)
        folder.mkdir()
        splits = {
            name: _write_split(folder, name, split, image_size, groups.get(name))
            for name, split in data.splits.items()
        }
        description = {
            "format": _FORMAT,
            "label_names": list(data.label_names),
            "label_kind": data.label_kind,
            "channels": data.image_shape[-1],
            "splits": splits,
        }
        write_json(folder / DESCRIPTION, description)
    return [{"split": name, **file} for name, files in splits.items() for file in files]


def copied_bytes(data: ImageData) -> int:
    """Returns the bytes of all image files of a data set, 0 of one of arrays."""
    decoded = [split.images for split in data.splits.values() if split.are_decoded]
    return sum(int(images.decoder.items.sizes[images.indices].sum()) for images in decoded)


def _check_space(needed, out, image_size):
    free = free_space(out)
    if image_size is None and needed > free:
        raise InputError(
            f"The images take {needed / 1e6:,.1f} MB in {out.parent}, where {free / 1e6:,.1f} MB are free. "
            "Choose a folder on a larger disk, or reduce them (--image-size)."
        )


@contextlib.contextmanager
def _alone(out):
    """Keeps other processes from packing into a folder, and removes what one left there that was killed."""
    make_folder(out.parent)
    busy = f"Another process packs into {out}. Wait for it, or choose another folder."
    with exclusively(out.with_name(f"{out.name}.pack"), busy):
        for holder in out.parent.glob(f".{glob.escape(out.stem)}-????????"):
            if (holder / out.name).is_dir():  # as `atomic_path` makes it
                shutil.rmtree(holder, ignore_errors=True)
        yield


def read_description(folder: Path) -> dict:
    """Returns what `shards.json` says, after checking its form."""
    if not (folder / DESCRIPTION).is_file():
        raise InputError(
            f"Expected a folder that `keras-vit pack` wrote at {folder}: it has no {DESCRIPTION}."
        )
    found = read_json(folder / DESCRIPTION)
    try:
        if found["format"] != _FORMAT:
            raise InputError(f"{folder} has format {found['format']}, and this version reads {_FORMAT}.")
        files = [file for split in found["splits"].values() for file in split]
        valid = all(isinstance(file["name"], str) and int(file["images"]) > 0 for file in files)
        valid &= all(isinstance(name, str) for name in found["label_names"]) and found["channels"] in (1, 3)
        valid &= (
            found.get("label_kind", CLASS) in KINDS
            and "train" in found["splits"]
            and all(int(file["bytes"]) for file in files)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder / DESCRIPTION, first_line(error)) from error
    if not valid:
        raise _damaged(folder / DESCRIPTION, "its fields do not fit")
    return found


def _write_split(folder, name, split, image_size, groups):
    writer = _Writer(folder, name)
    encode = functools.partial(_encoded, split, image_size)
    for content in mapped(encode, range(len(split)), f"packing {name}", _CHUNK):
        writer.add(content)
    files = writer.close()
    arrays = {"labels": split.labels, "sizes": np.array(writer.sizes, np.int64)}
    if split.weights is not None:
        arrays["weights"] = split.weights
    if groups is not None:
        arrays["groups"] = np.array([group or "" for group in groups], np.str_)
    np.savez(folder / f"{name}.npz", contents=np.array(writer.contents), **arrays)
    return files


class _Writer:
    """Writes the images of a split into one file after another."""

    def __init__(self, folder, split):
        self._folder, self._split = folder, split
        self.sizes, self.contents = [], []
        self._files, self._open = [], None

    def add(self, content):
        if self._open is None:
            name = f"{self._split}-{len(self._files):05}.arrayrecord"
            self._files.append({"name": name, "images": 0, "bytes": 0})
            self._open = _module().ArrayRecordWriter(str(self._folder / name), _OPTIONS)
        _of_full_disk(self._open.write, content)
        self.sizes.append(len(content))
        self.contents.append(np.uint64(digest(content)))
        file = self._files[-1]
        file["images"] += 1
        file["bytes"] += len(content)
        if file["bytes"] >= SHARD_SIZE:
            self._finish()

    def close(self):
        if self._open is not None:
            self._finish()
        return self._files

    def _finish(self):
        _of_full_disk(self._open.close)
        self._open = None
        file = self._files[-1]
        path = self._folder / file["name"]
        file["bytes"] = path.stat().st_size
        if _opened(path).num_records() != file["images"]:
            raise OSError(errno.ENOSPC, "No space left on device")  # which the library does not say


def _of_full_disk(write, *content):
    """Calls a function of array_record, which has no type of its own for a full disk."""
    try:
        write(*content)
    except RuntimeError as error:
        if is_full_disk(error):
            raise OSError(errno.ENOSPC, "No space left on device") from error
        raise


def _encoded(split, image_size, row):
    """The bytes of an image file."""
    if not split.are_decoded:
        return _as_file(_reduced(split.images[row], image_size), "PNG")
    decoder, index = split.images.decoder, int(split.images.indices[row])
    content = decoder.items.read(index)
    if image_size is None or _lacks_in_jpeg(content):
        return content
    image = decode_reduced(content, decoder.items.name(index), image_size, split.images.shape[-1])
    if _short_side(content) <= image_size:
        return content
    return _as_file(_reduced(image, image_size), "JPEG", quality=JPEG_QUALITY)


def _reduced(image, side):
    """An image whose shorter side is at most so many pixels."""
    short = min(image.shape[:2])
    if side is None or short <= side:
        return image
    return resize_image(image, tuple(max(1, round(length * side / short)) for length in image.shape[:2]))


def _lacks_in_jpeg(content):
    """Whether an image has what a recipe decides about later: transparent parts, or 16 bits."""
    with Image.open(io.BytesIO(content), formats=formats()) as image:
        return image.has_transparency_data or has_16_bits(image)


def _short_side(content):
    with Image.open(io.BytesIO(content), formats=formats()) as image:
        return min(image.size)


def _as_file(pixels, kind, **options):
    file = io.BytesIO()
    Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).save(file, kind, **options)
    return file.getvalue()


def _arrays(path):
    arrays = read_arrays(path)
    lengths = {array.shape[:1] for array in arrays.values()}
    kinds = _ARRAYS | {name: kind for name, kind in _OPTIONAL.items() if name in arrays}
    if arrays.keys() != kinds.keys() or len(lengths) != 1 or arrays["labels"].dtype.kind not in "if":
        raise _damaged(path, f"expected {', '.join(_ARRAYS)} of one length")
    return {name: arrays[name] if kind is None else arrays[name].astype(kind) for name, kind in kinds.items()}


def _opened(path):
    try:
        return _module().ArrayRecordReader(str(path))
    except (RuntimeError, ValueError, OSError) as error:
        raise _damaged(path, first_line(error)) from error


def _damaged(path, reason):
    return InputError(f"{path} is damaged or cut: {reason}. Copy it again, or pack the data again.")


def _module():
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise InputError("Shards need the package array_record: pip install array_record.") from error
    return array_record_module
