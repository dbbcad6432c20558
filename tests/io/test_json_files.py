import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_vit import InputError
from keras_vit.io.json_files import parse_json, read_json, write_json


def test_nan_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not os.listdir(tmp_path)


def test_a_list_of_numbers_is_one_line_and_strings_stay_unchanged(tmp_path):
    value = {
        "matrix": [[1, -2.5e-9], [3, 4]],
        "texts": ["[\n 1]", "[ 1,  2]"],
        "none": [None, 1],
        "empty": [],
    }
    write_json(tmp_path / "a.json", value)
    assert "    [1, -2.5e-09],\n    [3, 4]\n" in (tmp_path / "a.json").read_text()
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_a_file_that_is_not_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match="a.json"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "1e999", "9" * 5000, '{"a": 1, "a": 2}', "[" * 99999])
def test_json_that_is_not_written_here_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match="Expected JSON in .*a.json"):
        read_json(tmp_path / "a.json")


@given(st.binary() | st.text(alphabet='{}[]":,0123456789eE.-+truefalsnNaI \\u').map(str.encode))
def test_any_bytes_are_json_or_an_input_error_of_one_line(content):
    try:
        value = parse_json(content, "a.json")
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        json.dumps(value, allow_nan=False)
