import builtins
import json

import pytest

from keras_vit.__main__ import main
from keras_vit.commands.json_option import json_file
from keras_vit.errors import ConditionError, InputError
from keras_vit.io.json_files import read_json


@pytest.mark.parametrize("before", [None, "{}", "[1]"])
def test_a_json_file_is_replaced(tmp_path, before):
    path = tmp_path / "figures.json"
    if before is not None:
        path.write_text(before)
    with json_file(path, []) as write:
        write([2])
    assert read_json(path) == [2]


def test_what_was_written_stays_where_a_condition_is_not_met(tmp_path):
    path = tmp_path / "figures.json"
    for error, remains in ((ConditionError, [2]), (InputError, None)):
        path.unlink(missing_ok=True)
        with pytest.raises(error), json_file(path, []) as write:
            write([2])
            raise error("lost 3 points")
        assert (read_json(path) if path.exists() else None) == remains


def test_standard_output_has_the_json_alone(capsys):
    assert main(["list", "searches", "--json", "-"]) == 0
    shown = capsys.readouterr()
    assert "vit_photos" in json.loads(shown.out) and shown.err.startswith("char_names ")
    assert main(["list", "recipes", "--json", "-", "--quiet"]) == 0
    shown = capsys.readouterr()
    assert "vit_photos" in json.loads(shown.out) and shown.err == ""


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
