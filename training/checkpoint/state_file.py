"""A file of arrays and JSON that detects damage. It holds no code.

Layout: a line with the format's name, a line with the SHA-256 of everything after it, the length of the
header as 8 bytes (little endian), the header in JSON, and the arrays.
"""

import hashlib
import json
import math

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import atomic_path, read_bytes

MAGIC = b"keras_vit state 1\n"
_DTYPES = ("bool", "bfloat16", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
_DTYPES += ("float16", "float32", "float64")
_DIGEST_LENGTH = 64


def write_state(path, arrays: list[np.ndarray], document: dict):
    """Writes arrays and JSON values (or NumPy scalars) atomically and flushes the file to the disk."""
    digest = hashlib.sha256()
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(MAGIC + b" " * _DIGEST_LENGTH + b"\n")
        for part in _parts(arrays, document):
            digest.update(part)
            file.write(part)
        file.seek(len(MAGIC))
        file.write(digest.hexdigest().encode())


def read_state(path):
    """Reads a state file and verifies its checksum; returns arrays and document."""
    content = read_bytes(path, "the state of a training", math.inf)
    start = len(MAGIC) + _DIGEST_LENGTH + 1
    if len(content) < start + 8 or not content.startswith(MAGIC):
        raise InputError(f"{path} is not a state file: it is truncated or of another format.")
    body = memoryview(content)[start:]
    if content[len(MAGIC) : start] != hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise InputError(f"{path} is damaged: its checksum does not match its content.")
    return unpack_state(body, path)


def pack_state(arrays, document):
    """Returns arrays and document as the bytes of a state file without its checksum."""
    return b"".join(_parts(arrays, document))


def unpack_state(body: bytes | memoryview, name: str):
    """Reads the bytes of `pack_state`, of a source that errors name; returns arrays and document."""
    # A valid checksum does not prove who wrote the file: every field is checked.
    try:
        position = 8 + int.from_bytes(body[:8], "little")
        header = json.loads(bytes(body[8:position]))
        arrays = []
        for dtype, shape in header["arrays"]:
            if dtype not in _DTYPES:
                raise ValueError(f"type {dtype}")
            end = position + math.prod(shape) * np.dtype(dtype).itemsize
            arrays.append(np.frombuffer(body[position:end], dtype).reshape(shape))
            position = end
        if position != len(body):
            raise ValueError(f"{len(body) - position} excess bytes")
        return arrays, header["document"]
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise InputError(f"{name} is not a state file ({error}).") from error


def _parts(arrays, document):
    layout = [[str(array.dtype), list(array.shape)] for array in arrays]
    header = {"arrays": layout, "document": document}
    header = json.dumps(header, allow_nan=False, default=np.generic.item).encode()
    contents = (np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays)
    return len(header).to_bytes(8, "little"), header, *contents
