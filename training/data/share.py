"""A process's part of each batch, where several processes train together."""

import dataclasses

import keras


@dataclasses.dataclass(frozen=True)
class Share:
    """One of equal parts of each batch; what does not divide evenly belongs to none.

    Attributes:
        index: int, which part.
        count: int, the number of parts.

    Example:
        >>> share = Share(1, 2)
        >>> share.of(list(range(6))), share.of(slice(10, 15))
        ([3, 4, 5], slice(12, 14, None))
    """

    index: int = 0
    count: int = 1

    def of(self, rows):
        """Returns this part of rows: of an array, of nested arrays, or of a slice that has both ends."""
        if isinstance(rows, slice):
            size = (rows.stop - rows.start) // self.count
            start = rows.start + self.index * size
            return slice(start, start + size)
        if isinstance(rows, tuple | dict):
            return keras.tree.map_structure(self.of, rows)
        size = len(rows) // self.count
        return rows[self.index * size : (self.index + 1) * size]


WHOLE = Share()
