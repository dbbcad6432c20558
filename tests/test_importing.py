"""Objects of users by name."""

import sys

import pytest

from keras_vit import InputError
from keras_vit.importing import import_named, is_name, name_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "near.py").write_text("VALUE = 7\n")
    (tmp_path / "parts.py").write_text(
        "import near\n\ndef build():\n    return near.VALUE\n\nclass Box:\n    lid = build\n"
    )
    return tmp_path


def test_a_module_of_the_current_folder_and_a_file_anywhere_are_found(folder, monkeypatch):
    assert import_named("parts:build", "a builder")() == 7
    monkeypatch.chdir(folder.parent)
    (folder / "elsewhere.py").write_text("from near import VALUE\n\ndef build():\n    return VALUE + 1\n")
    build = import_named(f"{folder}/elsewhere.py:build", "a builder")
    assert build() == 8
    assert name_of(build, "a builder") == f"{folder}/elsewhere.py:build"
    assert import_named(name_of(build, "a builder"), "a builder") is build


def test_inner_names_are_found_and_named(folder):
    box = import_named("parts:Box.lid", "a lid")
    assert box() == 7 and name_of(box, "a lid") == "parts:build"


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("absent_module:build", "", "No module absent_module here or among the installed packages"),
        ("absent.py:build", "", "Expected a Python file at .*absent.py, found none"),
        ("given.py:biuld", "def build(): pass", "given.py defines no biuld.*Did you mean given.py:build"),
        ("given.py:build", "import no_such_package", "cannot be run: ModuleNotFoundError: No module named"),
        ("given.py:build", "x = 1\nx / 0", r"ZeroDivisionError: division by zero \(given.py, line 2\)"),
        ("given.py:build", "import sys\nsys.exit(3)", "cannot be run: SystemExit: 3"),
        ("given.py:build", "def build(:", "cannot be run: SyntaxError"),
        ("build", "", "Expected a builder as module:name or FILE.py:name, received 'build'"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_line(folder, name, code, message):
    (folder / "given.py").write_text(code)
    with pytest.raises(InputError, match=message) as refused:
        import_named(name, "a builder")
    assert "\n" not in str(refused.value)


def test_what_has_no_name_is_refused():
    def inner():
        pass

    for value in (inner, lambda: None, 3):
        with pytest.raises(InputError, match="at the top level of a module.*Move it to a file of its own"):
            name_of(value, "a loss")


def test_only_names_are_names():
    assert is_name("a.b:c.d") and is_name("/x y/a.py:b")
    assert not any(map(is_name, ("vit", "a:", ":b", "a b:c", "1:2", 3, None, "C:\\x.txt", "tfds:mnist:3")))
