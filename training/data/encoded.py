"""Splits of encoded images: how those of a source are examined, cached and decoded when they are used."""

import numpy as np

from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.training.data.cache import cache_folder
from keras_vit.training.data.caching import LEAST_SAMPLED, open_cache, sample_of
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.decoded import DecodedImages, Decoder
from keras_vit.training.data.decoding import OF_DATA
from keras_vit.training.data.examination import again, examine, keep_examination, kept_examination
from keras_vit.training.data.near_duplicates import MOST_IMAGES

DECODED_FIELDS = ("skip_broken", "background", "sixteen_bit")  # of recipes
DEFAULT_IMAGE_SIZE = (224, 224)  # pixels
EXAMINED = 256 * 1024**2  # bytes of image files that are all read before the start, in some seconds
SAMPLED, MOST_SAMPLED = 32 * 1024**2, 512  # bytes and images that are read of more


def encoded_parts(items, parts: dict[str, tuple[np.ndarray, ...]], options, source: str, channels: int = 3):
    """Returns a dict of `Split` that decode images when they are used, and lines on what was found.

    `parts` has for each the indices of its items, their labels, and their weights if they have any.

    Raises:
        InputError: images that cannot be read, unless `options.skip_broken`.
    """
    decoder = Decoder(items, options.prepare, options.image_size or DEFAULT_IMAGE_SIZE, channels)
    folder = decoder.folder = cache_folder(source)
    by_data = options.sixteen_bit == OF_DATA
    found, more = _examined(decoder, folder, options, every=True) if by_data else (None, [])
    if by_data and found.changes.sixteen_bits:
        decoder.use_window((found.changes.low, max(found.changes.high, found.changes.low + 1)))
    lines = open_cache(decoder, folder) if options.caching else []
    found, more = (found, more) if by_data else _examined(decoder, folder, options)
    if found.broken:
        _report_broken(found.broken, decoder, source, options.skip_broken)
    if not options.copied:
        found.changes.check(source, decoder.window, decoder.window is not None and not by_data)
    lines += [*more, *found.changes.lines(decoder.background, decoder.window)]
    splits = {}
    for name, (indices, *labels) in parts.items():
        whole = ~np.isin(indices, list(found.broken))
        splits[name] = Split(DecodedImages(decoder, indices[whole]), *(array[whole] for array in labels))
    return splits, lines


def _examined(decoder, folder, options, every=False):
    """Examines all images, or some of many, or finds what was kept."""
    if (kept := kept_examination(folder, decoder.stamps)) is not None:
        if kept.broken and (found := again(decoder, kept)).broken != kept.broken:
            keep_examination(folder, decoder.stamps, found)
            kept = found
        return kept, []
    count = len(decoder.items)
    size = decoder.items.sizes.sum()
    if every or options.examine or options.skip_broken or size <= EXAMINED:
        is_few = size <= EXAMINED and count <= MOST_IMAGES
        are_compared = is_few and options.group is None and not (every or options.examine)
        found = examine(decoder, as_thumbnails=are_compared)
        keep_examination(folder, decoder.stamps, found)
        return found, []
    sample = sample_of(count, int(np.clip(count * SAMPLED // size, LEAST_SAMPLED, MOST_SAMPLED)))
    line = f"{len(sample)} of {counted(count, 'image')} were read so far; keras-vit check reads all of them"
    return examine(decoder, sample), [line]


def _report_broken(broken, decoder, source, skip_broken):
    names = listed(decoder.items.short_name(index) for index in broken)
    found = f"{len(broken):,} of {counted(len(decoder.items), 'image')} in {source} cannot be read: {names}."
    if skip_broken:
        warn(f"{found} They are left out.")
        return
    first = next(iter(broken.values()))
    raise InputError(
        f"{found} The first: {first} To leave all of them out, set skip_broken=True (--skip-broken)."
    )
