"""check shows how data are read, and is an error where they cannot be."""

import os
import shutil
import sys

import pytest
from PIL import Image

from keras_vit.__main__ import main


@pytest.fixture
def photos(tmp_path):
    for name, tone in (("light", 250), ("dark", 5)):
        for index in range(6):
            path = tmp_path / "photos" / "Train" / name / f"{index}.jfif"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (30, 20), tone + index % 5).save(path, format="JPEG")
    (tmp_path / "photos" / "notes.txt").write_text("none")
    return tmp_path / "photos"


def test_what_was_found_is_shown(photos, capsys):
    assert main(["check", f"folder:{photos}"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "folder:photos: splits: train (Train); classes: their folders",
        "folder:photos: passed over: 1 .txt",
        "train       8 images (dark: 4, light: 4)",
        "validation  2 images (dark: 1, light: 1)",
        "test        2 images (dark: 1, light: 1)",
    ]


def test_a_broken_file_and_two_readings_are_one_line(photos, capsys):
    (photos / "Train" / "dark" / "bad.jpg").write_bytes(b"no image")
    assert main(["check", f"folder:{photos}"]) == 2
    shown, error = capsys.readouterr()
    assert "1 of 13 images" in error and error.count("\n") == 1
    assert "out, set --skip-broken." in error  # in Python skip_broken=True
    assert "passed over: 1 .txt\ntrain       8 images" in shown  # the rest
    assert main(["check", f"folder:{photos}", "--skip-broken"]) == 0
    (photos / "Train").rename(photos / "nature")
    assert main(["check", f"folder:{photos}", "--skip-broken"]) == 2
    assert f"set data=folder:{photos}/nature; if" in capsys.readouterr().err
    shutil.copytree(photos / "nature", photos / "town")
    assert main(["check", f"folder:{photos}", "--skip-broken"]) == 2
    assert "set --class-folders first" in capsys.readouterr().err
    assert main(["check", f"folder:{photos}", "--skip-broken", "--class-folders", "last"]) == 0


def test_groups_are_told_and_wrong_ones_are_one_line(tmp_path, capsys):
    for number in range(24):
        path = tmp_path / ("ill", "well")[number % 2] / f"p{number // 4}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(path)
    command = ["check", f"folder:{tmp_path}", "--class-folders", "first", "--group"]
    assert main([*command, "folder"]) == 0
    assert "groups: 6 by folder (p0, p1, p2, p3, p4 and 1 more), each on one side" in capsys.readouterr().out
    wrong = {"pattern:p": "a part in parentheses", "column:person": "needs data with columns"}
    for group, message in wrong.items():
        assert main([*command, group]) == 2
        assert message in (error := capsys.readouterr().err) and error.count("\n") == 1


def test_texts_are_counted(capsys):
    assert main(["check", "names"]) == 0
    assert "train       1,2" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names of files are Unicode there")
def test_names_of_any_bytes_are_read_and_shown(photos, capfd):
    source = photos / "Train" / "dark" / "0.jfif"
    odd = os.path.join(os.fsencode(source.parent), b"caf\xe9\n1.jpg")
    with open(odd, "wb") as file:
        file.write(source.read_bytes() + b" ")
    assert main(["check", f"folder:{photos}"]) == 0
    with open(odd, "wb") as file:
        file.write(b"no image")
    assert main(["check", f"folder:{photos}"]) == 2
    assert "caf\\udce9 1.jpg" in (error := capfd.readouterr().err) and error.count("\n") == 1
    assert main(["check", f"folder:{photos}", "--skip-broken"]) == 0
    os.rename(source.parent, os.fsencode(source.parent) + b"\xe9")
    assert main(["check", f"folder:{photos}", "--skip-broken"]) == 2
    assert "one line of text, received 'dark\\udce9'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("photos", "folder:photos?"),
        ("list.csv", "table:list.csv?"),
        ("folders:photos", "folder:photos?"),
        ("fodler:photos", "folder:photos?"),
        ("folder:foto", "photos?"),
        ("digit", "digits?"),
    ],
)
def test_a_slip_in_the_data_is_recognised(spec, meant, photos, capsys, monkeypatch):
    monkeypatch.chdir(photos.parent)
    (photos.parent / "list.csv").write_text("image,label\n")
    assert main(["check", spec]) == 2
    assert capsys.readouterr().err.endswith(f" Did you mean {meant}\n")


def test_a_module_with_the_name_of_a_source_but_a_letter_is_imported(photos, capsys, monkeypatch):
    monkeypatch.chdir(photos.parent)
    (photos.parent / "folders.py").write_text("")
    assert main(["check", "folders:photos"]) == 2
    assert "defines no photos" in capsys.readouterr().err
