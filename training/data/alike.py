"""Which near-duplicates of a source stay together, and which of its own splits share some."""

import itertools

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.decoded import Decoder
from keras_vit.training.data.encoded import EXAMINED
from keras_vit.training.data.items import hashes
from keras_vit.training.data.kept import keep_arrays, kept_arrays
from keras_vit.training.data.near_duplicates import (
    MOST_IMAGES,
    SIDE,
    find_pairs,
    read_thumbnails,
    thumbnails_of,
)
from keras_vit.training.data.units import Units

MOST_ON_REQUEST = 100_000
_NO_PAIRS = np.empty((0, 2), int)
_FILE = "near_duplicates.npz"
_LEAST_UNITS = 3  # of a class: one for each split
_MOST_OF_CLASS = 0.5  # that one group of near-duplicates may have


def near_duplicates(parts: dict[str, Split], asked: bool | None) -> tuple[np.ndarray | None, list[str]]:
    """Returns the pairs of near-duplicates in all splits of a source, and lines on what was not looked at.

    Whether they are looked for depends on the images and on what was asked for alone: a later evaluation has
    to find the same splits.

    Args:
        parts: the splits; the rows of pairs, int `(num_pairs, 2)`, count them one after another.
        asked: bool, whether to look; None where images are files, or arrays of at least 32 pixels, and few.

    Raises:
        InputError: more images than can be compared.
    """
    count = sum(map(len, parts.values()))
    if asked is False:
        return None, []
    if any(not split.are_decoded and min(split.images.shape[1:3]) < SIDE for split in parts.values()):
        return None, [f"near-duplicates are for images of {SIDE} pixels or more"] if asked else []
    if count > MOST_ON_REQUEST and asked:
        raise InputError(
            f"Expected at most {MOST_ON_REQUEST:,} images for near_duplicates=true, received {count:,}. "
            "Leave it out, and say by group= which images belong together."
        )
    size = sum(decoder.items.sizes.sum() for decoder in _decoders(parts))
    if asked is None and (count > MOST_IMAGES or size > EXAMINED):
        return None, [
            f"near-duplicates were not looked for, among {counted(count, 'image')}; near_duplicates=true "
            "does, and group= says which images belong together"
        ]
    return _found(parts), []


def kept_together(pairs: np.ndarray, strata: np.ndarray, contents: np.ndarray) -> tuple[np.ndarray, set[int]]:
    """Returns an int for each image, the same for near-duplicates, and the strata where these are ignored.

    Near-duplicates of a stratum are ignored where most of its images would be one group, or too few groups
    would be left to have one in each split: that is what the images of this class look like.

    Args:
        pairs: int `(num_pairs, 2)`.
        strata: int `(num_images,)`.
        contents: uint64 `(num_images,)`, the same for equal images.
    """
    groups = _groups(pairs, len(strata))
    units = Units(strata, contents, groups)
    values, sizes = np.unique(strata, return_counts=True)
    most = {value: np.bincount(groups[strata == value]).max() for value in np.unique(strata[pairs])}
    ignored = {
        int(value)
        for value, size, different in zip(values, sizes, units.with_stratum, strict=True)
        if value in most and (most[value] > _MOST_OF_CLASS * size or different < _LEAST_UNITS)
    }
    if ignored:
        pairs = pairs[~np.isin(strata[pairs], list(ignored)).any(axis=1)]
    return _groups(pairs, len(strata)), ignored


def lines_on(groups: np.ndarray, ignored: set[int], names) -> list[str]:
    """Returns what to say about what `kept_together` returned; `names` are those of the strata."""
    sizes = np.bincount(groups)
    sizes, found = sizes[sizes > 1], []
    if len(sizes):
        many = f"{len(sizes):,} groups of up to {sizes.max():,}" if len(sizes) > 1 else "one group"
        found.append(
            f"near-duplicates: {sizes.sum():,} of {counted(len(groups), 'image')} in {many}, each on one "
            "side of every split"
        )
    if ignored:
        found.append(
            f"near-duplicates: most images of {listed(names[i] for i in sorted(ignored))} look alike, and "
            "are not kept together; group= says which belong together"
        )
    return found


def warn_near_duplicates(parts: dict[str, Split], pairs: np.ndarray, source: str):
    """Warns about near-duplicates that are in two of the source's own splits."""
    starts = _starts(parts)
    for one, other in itertools.combinations(parts, 2):
        first, second = (pairs - starts[name] for name in (one, other))
        in_both = _within(first[:, 0], parts[one]) & _within(second[:, 1], parts[other])
        if not in_both.any():
            continue
        places = first[in_both][0, 0], second[in_both][0, 1]
        names = [parts[s].take(np.array([p])).names()[0] for s, p in zip((one, other), places, strict=True)]
        warn(
            f"{len(np.unique(second[in_both][:, 1])):,} of {len(parts[other]):,} {other} images of {source} "
            f"are near-duplicates of images in its {one} split, such as {names[1]}, which looks like "
            f"{names[0]}: metrics on the {other} split are too good. Remove them from one of the two."
        )


def groups_within(parts: dict[str, Split], pairs: np.ndarray) -> dict[str, np.ndarray]:
    """Returns an int for each image of each split, the same for near-duplicates within the split."""
    starts, found = _starts(parts), {}
    for name, split in parts.items():
        rows = pairs - starts[name]
        found[name] = _groups(rows[_within(rows, split).all(axis=1)], len(split))
    return found


def _starts(parts):
    """Which row of all splits, one after another, is the first of each."""
    return dict(zip(parts, np.cumsum([0, *map(len, parts.values())]), strict=False))


def _within(rows, split):
    return (rows >= 0) & (rows < len(split))


def _groups(pairs, count):
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _decoders(parts) -> list[Decoder]:
    return list({id(s.images.decoder): s.images.decoder for s in parts.values() if s.are_decoded}.values())


def _found(parts):
    """Looks for pairs, or finds what was kept of the same files."""
    decoders = _decoders(parts)
    decoder = decoders[0] if len(decoders) == 1 and all(s.are_decoded for s in parts.values()) else None
    folder, stamps = None, np.empty(0, np.uint64)
    if decoder is not None and decoder.folder is not None:
        folder = decoder.folder
        decoding = f"{decoder.background} {decoder.window} {decoder.shape[-1]}".encode()
        indices = np.concatenate([split.images.indices for split in parts.values()])
        stamps = np.concatenate([decoder.stamps[indices], hashes([decoding])])
        if (pairs := kept_arrays(folder, _FILE, stamps).get("pairs")) is not None:
            return pairs
    contents = np.concatenate([split.identities() for split in parts.values()])
    pairs = find_pairs(np.concatenate([_thumbnails(split) for split in parts.values()]), contents)
    keep_arrays(folder, _FILE, stamps, pairs=pairs)
    return pairs


def _thumbnails(split):
    if split.are_decoded:
        return read_thumbnails(split.images.decoder, split.images.indices)
    return thumbnails_of(split.images)
