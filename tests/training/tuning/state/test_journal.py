import contextlib
import os
import zlib

import pytest

from keras_vit import InputError
from keras_vit.training.tuning.state.journal import Journal

EVENTS = [
    {"event": "created", "trial": "0000"},
    {"event": "ended", "score": 0.5},
    {"event": "ended", "é": None},
]


@pytest.fixture
def path(tmp_path):
    journal = Journal(tmp_path / "search" / "journal.jsonl")
    for event in EVENTS:
        journal.append(event)
    return journal.path


def test_appended_events_are_read_back(path):
    assert Journal(path).read() == EVENTS
    assert Journal(path.with_name("none")).read() == []


@pytest.mark.parametrize("lost", [1, 2, 20])
def test_a_torn_last_event_is_dropped_with_a_message(path, lost):
    path.write_bytes(path.read_bytes()[:-lost])
    messages = []
    journal = Journal(path, messages.append)
    assert journal.read() == EVENTS[:-1]
    assert "torn" in messages[0] and str(path) in messages[0]
    journal.append(EVENTS[-1])
    assert Journal(path).read() == EVENTS


def test_damage_before_the_last_event_is_an_error_that_names_the_line(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"0.5")] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged in line 2"):
        Journal(path).read()
    assert path.read_bytes() == content


def test_a_flipped_bit_in_the_last_event_is_detected(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert Journal(path, lambda line: None).read() == EVENTS[:-1]


@pytest.mark.parametrize("text", [b"{", b"[]", b"null", b'{"loss": NaN}'])
def test_a_line_without_an_event_is_refused_despite_its_right_checksum(tmp_path, text):
    (tmp_path / "journal.jsonl").write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))
    with pytest.raises(InputError, match="line 1 of"):
        Journal(tmp_path / "journal.jsonl").read()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_is_one_line_that_says_how_to_continue():
    journal = Journal("/dev/full")
    with pytest.raises(InputError, match="No space left .*Free some; then the same command continues"):
        journal.append(EVENTS[0])
    with contextlib.suppress(OSError):
        journal._file.close()
