"""Bad `.safetensors` files."""

import json

import numpy as np
from hostile_case import Case, cut, flipped


def packed(header=None, data=None):
    """A file of two arrays, or of another header."""
    data = np.arange(20, dtype="<f4").tobytes() if data is None else data
    text = json.dumps(entries() if header is None else header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entries(**changes):
    return {
        "a": {"dtype": "F32", "shape": [2, 6], "data_offsets": [0, 48], **changes},
        "b": {"dtype": "F32", "shape": [8], "data_offsets": [48, 80]},
    }


def same_shapes(result, good):
    """Rule of success: the format has no checksum; other numbers in the declared shapes are tensors."""
    shapes = sorted(array.shape for array in result.values())
    return shapes == sorted(array.shape for array in good.values())


def cases():
    content = packed()
    start = int.from_bytes(content[:8], "little") + 8
    for name, bad in {
        "empty": b"",
        "text": b"no tensors at all\n" * 9,
        "length of 2^63": b"\xff" * 7 + b"\x7f" + content[8:],
        "length past the end": (10**6).to_bytes(8, "little") + content[8:],
        "length of zero": bytes(8) + content[8:],
        "no json": (4).to_bytes(8, "little") + b"oops" + bytes(80),
        "deep json": (200_000).to_bytes(8, "little") + b"[" * 100_000 + b"]" * 100_000,
        "a list": packed([]),
        "null": packed(None).replace(b'{"dtype"', b'["dtype"', 1),
        "longer than its arrays": content + bytes(40),
        "10^15 numbers": packed(entries(shape=[10**15])),
        "negative shape": packed(entries(shape=[-2, -6])),
        "overflowing shape": packed(entries(shape=[2**32, 2**32])),
        "fractions as shape": packed(entries(shape=[2.0, 6.0])),
        "another shape": packed(entries(shape=[2, 5])),
        "unknown type": packed(entries(dtype="PICKLE")),
        "type a number": packed(entries(dtype=3)),
        "offsets past the end": packed(entries(data_offsets=[0, 10**12])),
        "offsets reversed": packed(entries(data_offsets=[48, 0])),
        "offsets overlapping": packed(entries(data_offsets=[40, 88])),
        "offsets negative": packed(entries(data_offsets=[-48, 0])),
        "offsets missing": packed({"a": {"dtype": "F32", "shape": [2, 6]}}),
        "zeros": bytes(len(content)),
    }.items():
        yield _case(name, bad)
    for share in (0.01, 0.2, 0.5, 0.9, -1):
        yield _case(f"cut {share}", cut(content, share))
    for seed in range(15):
        yield _case(f"header flipped {seed}", flipped(content, seed, end=start), allowed=same_shapes)
    for seed in range(5):
        yield _case(f"data flipped {seed}", flipped(content, seed, start=start), allowed=same_shapes)


def _case(name, content, **rule):
    def write(place):
        return place.put("x.safetensors", content)

    return Case("safetensors", f"safetensors {name}", "safetensors", write, **rule)
