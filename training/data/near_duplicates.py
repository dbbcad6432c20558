"""Near-duplicates: shots of a burst, frames of a video, copies in another size or quality.

A photograph becomes a thumbnail of 32 x 32 grey pixels. Pairs are proposed by a perceptual hash of 60 bits
(whether brightness rises from one of 6 x 6 cells to the next) and decided by the correlation of the two
thumbnails, without slow changes of brightness, at the best shift. Of proposed pairs of different things in
CIFAR-10, 1 of 100 reaches 0.6. Where the images of a set correlate by nature, as X-rays, digits or frames
with one background do, more is asked for, perhaps more than any pair can have. Everything is a function of
the images alone.

Reference: https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html (the hash)
"""

import contextlib

import numpy as np
from PIL import Image
from scipy import fft
from scipy.ndimage import gaussian_filter

from keras_vit.errors import InputError
from keras_vit.io.images import Changes, decode_reduced
from keras_vit.io.progress import mapped
from keras_vit.training.data.decoded import Decoder

MOST_IMAGES = 20_000  # up to which near-duplicates are looked for where nobody says so
SIDE = 32  # pixels of a thumbnail; smaller images are not looked at
CORRELATION = 0.85  # of near-duplicates, at least
_DEVIATIONS = 5  # by which they exceed the median of pairs of the set
_CONTRAST = 3.0  # grey levels, root mean square: flatter thumbnails are not looked at
_SHIFT = 5  # pixels of a thumbnail, in each direction
_BITS = 24  # that may differ in the hashes of a pair that is proposed
_PROPOSED = 250_000  # pairs, at most: the nearest ones
_SAMPLED = 2000  # pairs that tell how much the images of a set correlate
_BAND = (0.7, 3.0)  # pixels, standard deviations of the Gaussians whose difference filters a thumbnail
_CELLS = 6
_CHUNK = 512  # pairs that are correlated at a time, so few that a core keeps them in its cache
_ROWS = 64  # of the matrix of all hashes, compared at a time
_READ = 256  # images between two steps of the progress bar


def find_pairs(thumbnails: np.ndarray, contents: np.ndarray) -> np.ndarray:
    """Returns the pairs of near-duplicates, int `(num_pairs, 2)`, the smaller row first.

    Args:
        thumbnails: uint8 `(num_images, 32, 32)`; flat ones have no near-duplicates.
        contents: uint64 hashes `(num_images,)`, the same for equal images, whose first stands for all.
    """
    _, rows = np.unique(contents, return_index=True)
    filtered = _filtered(thumbnails[rows])
    contrast = np.sqrt((filtered**2).mean(axis=(1, 2)))
    rows, filtered = rows[contrast >= _CONTRAST], filtered[contrast >= _CONTRAST]
    if len(rows) < 2:
        return np.empty((0, 2), int)
    spectra = _spectra(filtered)
    least = _least_correlation(spectra)
    pairs = _proposed(_hashes(thumbnails[rows])) if least <= 1 else np.empty((0, 2), int)
    return np.sort(rows[pairs[_correlations(spectra, pairs) >= least]], axis=1)


def thumbnails_of(images: np.ndarray) -> np.ndarray:
    """Returns the thumbnails, `(num_images, 32, 32)`, of uint8 `(num_images, height, width, channels)`."""
    return np.stack([_thumbnail(image) for image in images])


def read_thumbnails(decoder: Decoder, indices: np.ndarray) -> np.ndarray:
    """Returns those of some of a decoder's images, `(num_images, 32, 32)`; of broken files they are flat."""
    found = np.zeros((len(indices), SIDE, SIDE), np.uint8)

    def read(row):
        index = int(indices[row])
        thumbnail = decoder.thumbnails.pop(index, None)
        with contextlib.suppress(InputError):  # which is reported where images are examined
            found[row] = thumbnail_of_file(decoder, index) if thumbnail is None else thumbnail

    for _ in mapped(read, range(len(indices)), "looking for near-duplicates", _READ):
        pass
    return found


def thumbnail_of_file(decoder: Decoder, index: int, changes: Changes | None = None) -> np.ndarray:
    """Returns that of a file, not of what a model's size makes of it: the splits are those of the files.

    Raises:
        InputError: an image that cannot be read.
    """
    channels, background, window = decoder.shape[-1], decoder.background, decoder.window
    data, name = decoder.items.read(index), decoder.items.name(index)
    return _thumbnail(decode_reduced(data, name, 2 * SIDE, channels, changes, background, window))


def _thumbnail(image):
    if min(image.shape[:2]) < SIDE:
        return np.zeros((SIDE, SIDE), np.uint8)
    if image.shape[-1] not in (1, 3):
        image = image[..., :1]
    grey = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0]).convert("L")
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))


def _filtered(thumbnails):
    """What is left without slow changes of brightness and without noise."""
    images = thumbnails.astype(np.float32)
    fine, coarse = (gaussian_filter(images, (0, deviation, deviation)) for deviation in _BAND)
    return fine - coarse


def _spectra(filtered):
    """The spectra of thumbnails of length 1, which fade out at the border."""
    window = np.sqrt(np.hanning(SIDE + 4)[2:-2]).astype(np.float32)
    images = filtered * window * window[:, np.newaxis]
    images -= images.mean(axis=(1, 2), keepdims=True)
    return fft.rfft2(images / np.sqrt((images**2).sum(axis=(1, 2), keepdims=True)))


def _correlations(spectra, pairs):
    """The correlation of each pair at the best shift."""
    shifts = np.arange(-_SHIFT, _SHIFT + 1)
    found = [np.empty(0, np.float32)]
    for start in range(0, len(pairs), _CHUNK):
        one, other = (spectra[side] for side in pairs[start : start + _CHUNK].T)
        at_shifts = fft.irfft2(one * np.conj(other), s=(SIDE, SIDE))[:, shifts][:, :, shifts]
        found.append(at_shifts.max(axis=(1, 2)))
    return np.concatenate(found)


def _least_correlation(spectra):
    """What a pair has to reach, by how much pairs of the set correlate: few of them are near-duplicates."""
    count = len(spectra)
    step = np.arange(_SAMPLED)
    one, distance = step % count, 1 + step // count  # rows are in the order of their hashes
    other = (one + distance) % count
    values = _correlations(spectra, np.stack([one, other], axis=1)[distance < count])
    middle = np.median(values)
    deviation = 1.4826 * np.median(np.abs(values - middle))
    return max(CORRELATION, middle + _DEVIATIONS * deviation)


def _hashes(thumbnails):
    """A uint64 of each thumbnail: whether brightness rises to the right and downwards."""
    edges = np.linspace(0, SIDE, _CELLS + 1).round().astype(int)
    sums = np.add.reduceat(np.add.reduceat(thumbnails.astype(np.int64), edges[:-1], 1), edges[:-1], 2)
    sums = sums * np.outer(1 / np.diff(edges), 1 / np.diff(edges))
    rises = [sums[:, :, 1:] > sums[:, :, :-1], sums[:, 1:] > sums[:, :-1]]
    bits = np.concatenate([rise.reshape(len(sums), -1) for rise in rises], axis=1)
    padded = np.pad(bits, ((0, 0), (0, 64 - bits.shape[1])))
    return np.packbits(padded, axis=1).view(np.uint64)[:, 0]


def _proposed(hashes):
    """The pairs whose hashes differ least, of those that differ by so many bits at most."""
    counts = np.zeros(256, int)
    for _, differing in _distances(hashes):
        counts += np.bincount(differing.ravel(), minlength=256)
    most = min(_BITS, np.searchsorted(np.cumsum(counts), _PROPOSED, side="right") - 1)
    pairs = [np.empty((0, 2), int)]
    for start, differing in _distances(hashes):
        pairs.append(np.argwhere(differing <= most) + start)
    return np.concatenate(pairs)


def _distances(hashes):
    """Yields the first of some rows, and by how many bits these differ from it and all later ones."""
    for start in range(0, len(hashes), _ROWS):
        rows = hashes[start : start + _ROWS]
        differing = np.bitwise_count(rows[:, np.newaxis] ^ hashes[start:])
        differing[np.tril_indices(len(rows))] = 255  # each pair once
        yield start, differing
