import json

import ml_dtypes
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.training.checkpoint.state_file import MAGIC, read_state, write_state

ARRAYS = [
    np.arange(6, dtype="float32").reshape(2, 3),
    np.array(7, "int64"),
    np.zeros((0, 4), "uint32"),
    np.array([1.5, -2], ml_dtypes.bfloat16),
    np.array([True, False]),
]


@pytest.fixture
def file(tmp_path):
    write_state(tmp_path / "a.state", ARRAYS, {"epoch": 3})
    return tmp_path / "a.state"


def test_arrays_and_document_are_read_as_written(file):
    arrays, document = read_state(file)
    assert document == {"epoch": 3}
    assert [(a.dtype, a.shape) for a in arrays] == [(a.dtype, a.shape) for a in ARRAYS]
    for array, expected in zip(arrays, ARRAYS, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_every_flipped_byte_is_detected(file):
    content = file.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        file.write_bytes(changed)
        with pytest.raises(InputError):
            read_state(file)


def test_every_truncation_and_every_addition_is_detected(file):
    content = file.read_bytes()
    for length in range(len(content)):
        file.write_bytes(content[:length])
        with pytest.raises(InputError):
            read_state(file)
    file.write_bytes(content + b"\0")
    with pytest.raises(InputError, match="damaged"):
        read_state(file)


@pytest.mark.parametrize(
    "layout",
    [
        [["object", [1]]],
        [["float32", [10**15, 10**15]]],
        [["float32", [-1]]],
        [["float32", ["a"]]],
        [["float32", [1]]],
        "x",
        None,
    ],
)
def test_a_wrong_header_with_a_valid_checksum_is_refused(tmp_path, layout):
    import hashlib

    header = json.dumps({"arrays": layout, "document": {}}).encode()
    body = len(header).to_bytes(8, "little") + header + b"12345678"
    path = tmp_path / "a.state"
    path.write_bytes(MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    with pytest.raises(InputError, match="not a state file"):
        read_state(path)


def test_a_state_that_cannot_be_written_leaves_the_old_one(file, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        write_state(file, ARRAYS, {"epoch": 4})
    assert read_state(file)[1] == {"epoch": 3}
    assert [p.name for p in file.parent.iterdir()] == ["a.state"]
