import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_vit import InputError
from keras_vit.io.files import write_text
from keras_vit.io.label_names import is_label_name, read_label_names


def test_a_file_of_labels_is_read_and_an_invalid_one_is_named(tmp_path):
    (tmp_path / "labels.txt").write_bytes("cat\r\ndög\n".encode())
    assert read_label_names(tmp_path / "labels.txt") == ("cat", "dög")
    for content in ("cat\n\ndog", "cat\ncat", "\x1b[2J", "", b"d\xf6g"):
        (tmp_path / "labels.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InputError, match="labels.txt"):
            read_label_names(tmp_path / "labels.txt")


@settings(deadline=None)  # it waits for the disk
@given(st.text())
def test_a_label_survives_its_file(text):
    if is_label_name(text):
        with tempfile.TemporaryDirectory() as folder:
            write_text(Path(folder, "labels.txt"), f"{text}\nother label\n")
            assert read_label_names(Path(folder, "labels.txt"))[0] == text
