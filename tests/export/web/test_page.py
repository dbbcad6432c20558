import json

import pytest

from keras_vit import InputError
from keras_vit.export.web.litert_js import FILES
from keras_vit.export.web.page import check_page, write_page

DESCRIPTION = {"name": "photos", "labels": ["a", "b"], "attention": [2, 2]}


@pytest.fixture
def packages(tmp_path):
    """A folder as npm leaves it, with empty files."""
    for file in FILES.values():
        place = tmp_path / "npm" / "node_modules" / "@litertjs" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    return tmp_path / "npm"


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    rows = [
        {"variant": "savedmodel", "file": "saved_model", "passed": True, "latency_ms": 1.0, "size": 9},
        {"variant": "fp32", "file": "model_fp32.tflite", "passed": True, "latency_ms": 3.0, "size": 4},
        {"variant": "fp16", "file": "model_fp16.tflite", "passed": True, "latency_ms": 2.0, "size": 2},
        {"variant": "int4", "file": "model_int4.tflite", "passed": False, "latency_ms": 0.5, "size": 1},
        {"variant": "full_int8", "file": "gone.tflite", "passed": True, "latency_ms": 0.1, "size": 1},
    ]
    for row in rows[1:-1]:
        (folder / row["file"]).write_text(row["variant"])
    return rows, folder


def test_a_page_contains_the_fastest_file_and_lists_all_its_files(export, packages, tmp_path):
    rows, folder = export
    page = tmp_path / "page"
    write_page(rows, folder, page, "images", DESCRIPTION, packages)
    assert (page / "model.tflite").read_text() == "fp16"
    described = json.loads((page / "keras-vit.json").read_text())
    assert described == {**DESCRIPTION, "file": "model.tflite", "variant": "fp16", "bytes": 2}
    for name in (*FILES, "../app.js", "../style.css", "../index.html", "../litert.js"):
        assert (page / "litert" / name).is_file()
    (early,) = (line for line in (page / "sw.js").read_text().splitlines() if line.startswith("const EARLY"))
    for name in json.loads(early.partition("= ")[2].rstrip(";")):
        assert (page / name).exists()


def test_a_page_is_replaced_and_its_worker_changes_with_its_content(export, packages, tmp_path):
    rows, folder = export
    workers = []
    for name in ("one", "one", "two"):
        write_page(rows, folder, tmp_path / "page", "images", {**DESCRIPTION, "name": name}, packages)
        workers.append((tmp_path / "page" / "sw.js").read_text())
    assert workers[0] == workers[1] != workers[2]


def test_a_folder_with_something_else_in_it_is_left_alone(export, packages, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for place in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        with pytest.raises(InputError, match="neither"):
            write_page(*export, place, "images", DESCRIPTION, packages)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_model_of_tensorflow_js_is_not_an_earlier_page(export, packages, tmp_path):
    (tmp_path / "theirs").mkdir()
    for name in ("model.json", "group1-shard1of1.bin"):
        (tmp_path / "theirs" / name).write_text("{}")
    with pytest.raises(InputError, match="neither"):
        write_page(*export, tmp_path / "theirs", "images", DESCRIPTION, packages)
    assert len(list((tmp_path / "theirs").iterdir())) == 2


def test_a_missing_dependency_is_reported_with_its_installation(export, packages, tmp_path, monkeypatch):
    rows, folder = export
    with pytest.raises(InputError, match="--variant dynamic_int8"):
        write_page(rows[:1], folder, tmp_path / "page", "images", DESCRIPTION, packages)
    with pytest.raises(InputError, match=r"npm install @litertjs/core@\d"):
        check_page(tmp_path / "page", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="Install Node.js"):
        check_page(tmp_path / "page")
    assert not (tmp_path / "page").exists()
