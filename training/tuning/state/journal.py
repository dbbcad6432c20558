"""An append-only file of events that detects damage.

Each line is the CRC-32 of the rest in 8 hexadecimal digits, a space, and an event in JSON. A line is on disk
before anything that depends on it is done.
"""

import json
import math
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.files import is_full_disk, read_bytes, sync_folder
from keras_vit.io.json_files import parse_json


class Journal:
    """Appends events to a file and reads them back. `show` gets a message when a torn event is dropped."""

    def __init__(self, path: str | Path, show: Callable[[str], object] = print):
        self.path = Path(path)
        self.show = show
        self._file = None

    def read(self) -> list[dict]:
        """Reads all events, none without a file, and drops the last one if it was not written completely."""
        if not self.path.exists():
            return []
        content = read_bytes(self.path, "the journal of a search", math.inf)
        events, good = [], 0
        for line in content.splitlines(keepends=True):
            event = _parse(line, f"line {len(events) + 1} of {self.path}")
            if event is None:
                break
            events.append(event)
            good += len(line)
        if good < len(content):
            self._drop_torn(content[good:], good, len(events))
        return events

    def append(self, event: dict):
        """Writes an event and waits until it is on disk."""
        text = json.dumps(event, allow_nan=False).encode()
        try:
            self._write(b"%08x %s\n" % (zlib.crc32(text), text))
        except OSError as error:
            if not is_full_disk(error):
                raise
            raise InputError(
                f"No space left on the disk while writing {self.path}. Free some; then the same command "
                "continues the search."
            ) from error

    def _write(self, line):
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "ab")  # noqa: SIM115  open until the search ends
            sync_folder(self.path.parent)
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _drop_torn(self, rest, good, count):
        """A crash tears the last event only: damage before it is an error."""
        if rest.count(b"\n") > 1 or rest.count(b"\n") == 1 and not rest.endswith(b"\n"):
            raise InputError(
                f"{self.path} is damaged in line {count + 1}, with whole lines after it. Restore the "
                f"file from a copy, or cut it after line {count} to lose what follows."
            )
        os.truncate(self.path, good)
        self.show(f"{self.path}: the last event was torn and is dropped; its step is repeated.")


def _parse(line, name):
    """Returns the event in a line, or None when the line is not whole."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    return parse_json(text, name, dict)
