"""A bad input: how it is written, who reads it, and what may come of it."""

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

SENTINEL = "sprung"  # a file that exists only where code of a bad input was run


def never(result, good):
    """Rule of success: there is none."""
    return False


@dataclasses.dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes:
        kind: str, its row in the table.
        name: str, unique.
        reader: str, a key of `hostile_readers.READERS`.
        write: function from a `Place` to the Path that the reader is given.
        allowed: function from what the reader returned, and from what it returns for the intact file, to
            whether this success is right: the content is not damaged, or the format cannot detect damage.
    """

    kind: str
    name: str
    reader: str
    write: Callable
    allowed: Callable = never


@dataclasses.dataclass(frozen=True)
class Place:
    """An empty folder to write to, and the good files that are to be damaged."""

    folder: Path
    good: dict

    @property
    def sentinel(self):
        return self.folder / SENTINEL

    def put(self, name, content):
        """Writes a file and returns its Path. Content that takes long to make may be a function."""
        path, content = self.folder / name, content() if callable(content) else content
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def flipped(content, seed, count=1, start=0, end=None):
    """Returns the content with `count` bits flipped, chosen by the seed."""
    generator, changed = random.Random(seed), bytearray(content)
    for _ in range(count):
        place = generator.randrange(start, end or len(content))
        changed[place] ^= 1 << generator.randrange(8)
    return bytes(changed)


def cut(content, share):
    """Returns the first part of the content; a negative share is a number of bytes to drop at its end."""
    return content[:share] if share < 0 else content[: int(len(content) * share)]
