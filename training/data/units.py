"""Units: the images that have to be on one side of every split, and how units are divided.

A unit consists of equal images, of those of one group, and of whatever these connect; it may contain images
of several classes. Units are ordered by a hash of their images, so that the result depends on seed and
images alone, and not on the order of the files.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


class Units:
    """The units of some images.

    Args:
        strata: int `(num_images,)`, such as the classes: each part gets the same share of each.
        hashes: uint64 `(num_images,)`, the same for equal images.
        groups: int `(num_images,)`, the same for images that stay together, or None: equal ones alone do.
    """

    def __init__(self, strata: np.ndarray, hashes: np.ndarray, groups: np.ndarray | None = None):
        _, strata = np.unique(strata, return_inverse=True)
        keys = (hashes,) if groups is None else (hashes, groups)
        unit = connected(*keys)
        self.of_images = np.argsort(np.argsort(_keys(unit, hashes), kind="stable"))[unit]
        pairs, counts = np.unique(np.stack([self.of_images, strata]), axis=1, return_counts=True)
        self._counts = [{} for _ in range(unit.max(initial=-1) + 1)]  # of each unit: images by stratum
        for number, stratum, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
            self._counts[number][stratum] = count
        self._sizes = np.bincount(strata).tolist()  # images of each stratum
        self.with_stratum = np.bincount(pairs[1], minlength=len(self._sizes)).tolist()  # units that have some

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self._counts)

    def hold_out(self, fraction: float) -> np.ndarray:
        """Chooses units with about `fraction` of each stratum's images, bool `(num_images,)`.

        First those that exceed no stratum's share are taken, in their order; then, for a stratum of two units
        or more that got nothing, its smallest unit; then those that bring the numbers nearer to the shares.
        One unit at least of each stratum is not taken.
        """
        wanted = [
            max(1, round(fraction * size)) if units > 1 else 0
            for size, units in zip(self._sizes, self.with_stratum, strict=True)
        ]
        taken, found, left = set(), [0] * len(wanted), self.with_stratum.copy()

        def take(number):
            taken.add(number)
            for stratum, count in self._counts[number].items():
                found[stratum] += count
                left[stratum] -= 1

        def is_free(number):
            return number not in taken and all(left[stratum] > 1 for stratum in self._counts[number])

        def fits(number):
            return all(found[s] + count <= wanted[s] for s, count in self._counts[number].items())

        def comes_nearer(number):
            missing = [(wanted[s] - found[s], count) for s, count in self._counts[number].items()]
            return sum(abs(share - count) - abs(share) for share, count in missing) < 0

        def take_all(is_good):
            for number in range(self.count):
                if is_good(number) and is_free(number):
                    take(number)

        take_all(fits)
        for stratum in [stratum for stratum, share in enumerate(wanted) if share]:
            if not found[stratum]:
                free = [n for n, counts in enumerate(self._counts) if stratum in counts and is_free(n)]
                if free:
                    take(min(free, key=lambda number: sum(self._counts[number].values())))
        take_all(comes_nearer)
        return np.isin(self.of_images, list(taken))

    def folds(self, count: int) -> np.ndarray:
        """Divides the images into folds, each with about the same share of each stratum.

        The largest units come first, of equal ones in their order; each goes where its strata have fewest
        images so far, of several such folds to the smallest. Returns int `(num_images,)`, from 0.
        """
        sizes = [sum(counts.values()) for counts in self._counts]
        filled = np.zeros((count, len(self._sizes)))
        totals, fold = [0] * count, np.empty(len(sizes), int)
        for number in sorted(range(len(sizes)), key=lambda number: -sizes[number]):
            strata, counts = zip(*self._counts[number].items(), strict=True)
            weights = np.array(counts) / [self._sizes[stratum] for stratum in strata]
            costs = (filled[:, strata] @ weights).round(9).tolist()
            place = min(range(count), key=lambda f: (costs[f], totals[f], f))
            filled[place, strata] += counts
            totals[place] += sizes[number]
            fold[number] = place
        return fold[self.of_images]


def _keys(unit, hashes):
    """A uint64 of each unit: the hash of its image or, of different ones, one of the least of their hashes.

    The least itself would put large units first.
    """
    count = unit.max(initial=-1) + 1
    least, most = np.full(count, np.iinfo(np.uint64).max), np.zeros(count, np.uint64)
    np.minimum.at(least, unit, hashes)
    np.maximum.at(most, unit, hashes)
    return np.where(least == most, least, _mixed(least))


def _mixed(values):
    """The numbers of splitmix64, https://prng.di.unimi.it/splitmix64.c"""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


def connected(*keys: np.ndarray) -> np.ndarray:
    """Returns which images equal values of any key connect, also over others: int `(num_images,)` from 0."""
    count = len(keys[0])
    rows, nodes, total = [], [], count
    for key in keys:
        _, values = np.unique(key, return_inverse=True)
        rows.append(np.arange(count))
        nodes.append(values + total)
        total += values.max(initial=-1) + 1
    edges = np.concatenate(rows), np.concatenate(nodes)
    graph = coo_array((np.ones(len(edges[0]), bool), edges), shape=(total, total))
    return connected_components(graph, directed=False)[1][:count]
