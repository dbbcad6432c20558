"""Bad files of a run or a search: states, journals, histories, vocabularies, preprocessing."""

import hashlib
import json
import os
import zlib

import numpy as np
from hostile_case import Case, cut, flipped
from hostile_texts import json_damage

MAGIC = b"keras_vit state 1\n"


def cases():
    yield from _states()
    yield from _journals()
    yield from _histories()
    yield from _vocabularies()
    yield from _preprocessings()
    yield from _texts()


def _states():
    for share in (0.0, 0.01, 0.2, 0.5, 0.9, -1):
        yield _state(f"cut {share}", cut(state(), share))
    for seed in range(10):
        yield _state(f"flipped {seed}", flipped(state(), seed))
    yield _state("text", b"no state\n" * 40)
    yield _state("bytes after its end", state() + b"x")
    yield _state("an earlier version", state().replace(b"state 1", b"state 0"))
    for name, header in {
        "no json": b"{",
        "a list": b"[]",
        "deep": b'{"arrays": ' + b"[" * 100_000 + b"]" * 100_000 + b', "document": {}}',
        "null": b"null",
        "no utf-8": b"\xff",
        "nan": b'{"arrays": [], "document": {"epoch": NaN, "step": 0}}',
    }.items():
        yield _state(f"header {name}", signed(header))
    for name, arrays in {
        "10^15 numbers": [["float32", [10**15]]],
        "negative": [["float32", [-2]]],
        "overflow": [["float32", [2**40, 2**40]]],
        "fractions": [["float32", [2.0]]],
        "of objects": [["object", [1]]],
        "of an unknown type": [["os.system", [1]]],
        "of a type that is a list": [[["float32"], [1]]],
        "of a shape that is a number": [["float32", 3]],
        "of three parts": [["float32", [1], 0]],
        "a number": 5,
        "too few": [["float32", [1]]],
        "of 10^9 axes": [["float32", [1] * 10_000]],
    }.items():
        yield _state(f"arrays {name}", state(arrays=arrays))
    for field, value in (
        ("epoch", "1"), ("epoch", -1), ("epoch", 10**30), ("epoch", None), ("epoch", 1.5), ("epoch", [1]),
        ("step", -1), ("step", "0"), ("step", 10**6), ("stopped", "no"), ("variables", -1),
        ("variables", "1"), ("variables", 10**9), ("callbacks", []), ("callbacks", None), ("backend", 3),
        ("backend", "evil"), ("steps_per_epoch", 0), ("steps_per_epoch", "2"),
    ):  # fmt: skip
        yield _state(f"{field}={value}", state({**DOCUMENT, field: value}))
    for field in DOCUMENT:
        yield _state(f"{field} missing", state({k: v for k, v in DOCUMENT.items() if k != field}))
    yield _state("document a list", state([]))
    yield _place("endless device", lambda place: os.symlink("/dev/zero", place.folder / "state/1.state"))
    yield _place("pipe", lambda place: os.mkfifo(place.folder / "state/1.state"))
    yield _place("folder", lambda place: (place.folder / "state/1.state").mkdir())


DOCUMENT = {
    "epoch": 1,
    "step": 0,
    "stopped": False,
    "steps_per_epoch": 2,
    "backend": "tensorflow",
    "variables": 1,
    "callbacks": {},
}


def state(document=None, arrays=None):
    """A state of one array, with a right checksum."""
    layout = [["float32", [2]]] if arrays is None else arrays
    content = {"arrays": layout, "document": DOCUMENT if document is None else document}
    return signed(json.dumps(content).encode(), np.ones(2, "<f4").tobytes())


def signed(header, data=b""):
    body = len(header).to_bytes(8, "little") + header + data
    return MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _state(name, content):
    return _place(name, lambda place: place.put("state/1.state", content))


def _place(name, spoil):
    def write(place):
        (place.folder / "state").mkdir()
        spoil(place)
        return place.folder / "state"

    return Case("state", f"state {name}", "state", write)


def _journals():
    for share in (0.01, 0.3, 0.6, -1):  # a torn last event is what a crash leaves
        yield _journal(f"cut {share}", lambda s=share: cut(journal(), s), allowed=has_no_events)
    for seed in range(10):
        yield _journal(f"flipped {seed}", lambda s=seed: flipped(journal(), s), allowed=has_no_events)
    yield _journal("text", b"no journal\n" * 9)
    yield _journal("another search", lambda: journal(search="vit_mnist"))
    yield _journal("another version", lambda: journal(version=99))
    for name, head in {
        "limits a list": {"limits": []},
        "recipe null": {"recipe": None},
        "space missing": {"space": None},
        "threads a text": {"threads": "os.system"},
    }.items():
        yield _journal(f"head: {name}", lambda h=head: journal(**h))
    for name, event in {
        "no json": b"{",
        "a list": b"[]",
        "null": b"null",
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "no event": b"{}",
        "unknown": b'{"event": "__init__"}',
        "event a list": b'{"event": []}',
        "trial of no one": b'{"event": "measured", "trial": "77", "footprint": {}}',
        "created without values": b'{"event": "created", "trial": "0000"}',
        "created of lists": b'{"event": "created", "trial": [], "values": [], "seed": []}',
        "created out of turn": b'{"event": "created", "trial": "9999", "values": {}, "seed": 1}',
        "epoch of text": b'{"event": "epoch", "trial": "0000", "epoch": "1", "metrics": 3}',
        "ended of no one": b'{"event": "ended", "trial": "5", "status": "x", "reason": null, "seconds": 1}',
        "nan": b'{"event": "measured", "trial": "0000", "footprint": {"a": NaN}}',
    }.items():
        yield _journal(f"event: {name}", lambda e=event: journal() + line(e))

    def linked(place):
        os.symlink("/dev/zero", place.folder / "journal.jsonl")
        return place.folder / "journal.jsonl"

    yield Case("journal", "journal endless device", "journal", linked)


def has_no_events(result, good):
    """Rule of success: without any event, the search has not started."""
    return result == 0


def journal(**changes):
    """The beginning of a search, as the reader's own plan would write it."""
    from hostile_readers import search_header

    return line(json.dumps({**search_header(), **changes}).encode())


def line(text):
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _journal(name, content, **rule):
    def write(place):
        return place.put("journal.jsonl", content)

    return Case("journal", f"journal {name}", "journal", write, **rule)


COLUMNS = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n"
ROW = "1,2.0,0.1,2.1,0.1,0.001,3.5\n"


def _histories():
    for name, content in {
        "of text": "no history\nat all\n",
        "without columns": "epoch,loss\n1,2\n",
        "of words": COLUMNS + ROW.replace("2.0", "two"),
        "of nan": COLUMNS + ROW.replace("2.0", "nan"),
        "of infinity": COLUMNS + ROW.replace("2.0", "1e999"),
        "cut": COLUMNS + ROW[:9],
        "latin-1": (COLUMNS + ROW).encode() + b"\xf6\n",
        "utf-16": (COLUMNS + ROW).encode("utf-16"),
        "null bytes": COLUMNS + ROW + "\0\0\0",
        "zeros": bytes(4000),
        "10 MB in a field": COLUMNS + "1" * 10_000_000 + "\n",
        "40 MB": COLUMNS + ROW * 1_500_000,
    }.items():
        write = lambda place, c=content: place.put("history.csv", c)  # noqa: E731
        yield Case("history.csv", f"history {name}", "history", write)


def _vocabularies():
    document = {"characters": "\nabc", "unknown": "error"}
    for name, content in json_damage(document):
        yield _vocabulary(name, content)
    for name, changes in {
        "no newline": {"characters": "abc"},
        "no characters": {"characters": ""},
        "characters null": {"characters": None},
        "characters a number": {"characters": 5},
        "characters a list": {"characters": ["\n", "a"]},
        "characters of an object": {"characters": {"0": "\n"}},
        "characters twice": {"characters": "\naa"},
        "surrogates": {"characters": "\n\ud800"},
        "unknown anything": {"unknown": "evil"},
        "unknown a list": {"unknown": ["unk"]},
        "a field more": {"evil": 1},
        "2 million characters": {"characters": "\n" + "".join(map(chr, range(20, 50_000))) * 40},
    }.items():
        yield _vocabulary(name, json.dumps({**document, **changes}))


def _vocabulary(name, content):
    write = lambda place: place.put("vocabulary.json", content)  # noqa: E731
    return Case("vocabulary.json", f"vocabulary {name}", "vocabulary", write)


def _preprocessings():
    document = {
        "image_size": [8, 8],
        "crop_ratio": 1.0,
        "crop_mode": "squash",
        "interpolation": "bilinear",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "rounded": True,
    }
    for name, content in json_damage(document):
        yield _preprocessing(name, content)
    for field, value in (
        ("image_size", None), ("image_size", 8), ("image_size", "88"), ("image_size", [8]),
        ("image_size", [8, -8]), ("image_size", [0, 8]), ("image_size", [8, 10**9]), ("image_size", [8.5, 8]),
        ("image_size", [8, True]), ("crop_ratio", 0), ("crop_ratio", -1), ("crop_ratio", "1"),
        ("crop_ratio", None), ("crop_ratio", 1e-300), ("crop_mode", "evil"), ("crop_mode", ["center"]),
        ("crop_mode", None), ("interpolation", "__class__"), ("interpolation", 3), ("mean", 0.5),
        ("mean", ["a", "b", "c"]), ("mean", [0.5] * 7), ("mean", []), ("std", [0, 0, 0]), ("std", None),
        ("mean", [10**400] * 3), ("std", [-1.0] * 3), ("rounded", 1),
    ):  # fmt: skip
        yield _preprocessing(f"{field}={str(value)[:20]}", json.dumps({**document, field: value}))


def _preprocessing(name, content):
    write = lambda place: place.put("preprocessing.json", content)  # noqa: E731
    return Case("preprocessing.json", f"preprocessing {name}", "preprocessing", write)


def _texts():
    for name, content in {
        "empty": b"",
        "blank": b" \n\n\t\n",
        "latin-1": "dög\ncät\n".encode("latin-1") * 20,
        "utf-16": ("dog\n" * 30).encode("utf-16"),
        "noise": np.random.default_rng(0).bytes(4000),
        "one line": b"dog\n" * 40,
        "a line of 10^6": b"a" * 10**6 + b"\n" + b"".join(b"%d\n" % n for n in range(30)),
        "characters seen once": "\n".join(map(chr, range(0x4E00, 0x4E60))).encode(),
        "null bytes": bytes(5000),
    }.items():
        write = lambda place, c=content: place.put("t.txt", c)  # noqa: E731
        yield Case("text", f"text {name}", "text", write)

    def linked(place):
        os.symlink("/dev/zero", place.folder / "t.txt")
        return place.folder / "t.txt"

    yield Case("text", "text endless device", "text", linked)
