import builtins

import pytest

from keras_vit.commands.json_option import json_file
from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json


@pytest.mark.parametrize("before", [None, "{}", "[1]"])
def test_a_json_file_is_replaced(tmp_path, before):
    path = tmp_path / "figures.json"
    if before is not None:
        path.write_text(before)
    with json_file(path, []) as write:
        write([2])
    assert read_json(path) == [2]


def test_a_file_that_is_not_json_is_not_replaced(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"PK\3\4")
    writing = json_file(tmp_path / "model.keras", [])
    with pytest.raises(InputError, match="would replace a file that is not JSON"), writing:
        pass
    assert (tmp_path / "model.keras").read_bytes() == b"PK\3\4"


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, monkeypatch):
    path = tmp_path / "figures.json"
    path.write_text("{}")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(builtins, "open", refuse)  # root can read a file of any mode
    writing = json_file(path, [])
    with pytest.raises(InputError, match=r"figures\.json cannot be read: Permission denied\. "), writing:
        pass
    monkeypatch.undo()
    assert path.read_text() == "{}"
