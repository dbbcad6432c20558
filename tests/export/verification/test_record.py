import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_vit import ConditionError, InputError
from keras_vit.errors import Notice
from keras_vit.export import export_model
from keras_vit.export.variants import FILES

NAMES = ("one", "two", "three")
CLASSIFIER = {"task": "classification", "activation": "softmax"}


def small_model(seed=0):
    keras.utils.set_random_seed(seed)
    stack = [
        keras.Input((4, 4, 3)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
    ]
    return keras.Sequential(stack)


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3)).astype("uint8")
    return images, np.arange(12) % 3


def record(folder):
    return json.loads((folder / "export.json").read_text())


@pytest.mark.slow
def test_a_second_export_of_the_same_model_keeps_the_rows_of_the_first(data, tmp_path):
    export_model(
        small_model(),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("savedmodel",),
    )
    rows = export_model(
        small_model(),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("fp16",),
    )
    assert [row["variant"] for row in rows] == ["fp16"]
    assert [row["variant"] for row in record(tmp_path)["variants"]] == ["savedmodel", "fp16"]
    assert all(row["passed"] and row["threads"] >= 1 for row in record(tmp_path)["variants"])
    assert {"tensorflow", "keras", "ai_edge_litert"} <= record(tmp_path)["versions"].keys()


@pytest.mark.slow
def test_files_of_another_model_do_not_stay_next_to_the_new_ones(data, tmp_path):
    export_model(
        small_model(0),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("savedmodel",),
    )
    (tmp_path / FILES["fp32"]).write_text("from an unknown model")
    (tmp_path / "notes.txt").write_text("the user's own")
    export_model(
        small_model(1),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("fp16",),
    )
    assert sorted(os.listdir(tmp_path)) == ["app.md", "export.json", "labels.txt", FILES["fp16"], "notes.txt"]
    assert [row["variant"] for row in record(tmp_path)["variants"]] == ["fp16"]


@pytest.mark.parametrize("content", ["", "[]", '{"variants": 3}', '{"model_sha256": "x", "variants": [{}]}'])
def test_a_broken_record_is_taken_for_none(data, tmp_path, content):
    (tmp_path / "export.json").write_text(content)
    export_model(
        small_model(),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("savedmodel",),
    )
    assert len(record(tmp_path)["variants"]) == 1


def crash(*_, **__):
    raise ConditionError("the conversion failed: it printed nothing (ended by signal 11)")


def test_a_crash_leaves_no_file_under_the_name_and_the_record_says_so(data, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_vit.export.tflite.writer.write_tflite", crash)
    (tmp_path / FILES["fp32"]).write_text("of an earlier export")
    gone = pytest.warns(Notice, match=f"Removed from {tmp_path}: {FILES['fp32']}, of an earlier export")
    with gone, pytest.raises(ConditionError, match="fp32 .*signal 11"):
        export_model(
            small_model(),
            tmp_path,
            label_names=NAMES,
            inputs=data[0],
            labels=data[1],
            **CLASSIFIER,
            variants=("fp32", "savedmodel"),
        )
    assert sorted(os.listdir(tmp_path)) == ["app.md", "export.json", "labels.txt", "saved_model"]
    assert [row["passed"] for row in record(tmp_path)["variants"]] == [True, False]


def test_rows_of_exports_contain_their_settings(data, tmp_path, monkeypatch):
    export_model(
        small_model(),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("savedmodel",),
    )
    monkeypatch.setattr("keras_vit.export.tflite.writer.write_tflite", crash)
    options = {"variants": ("fp32",), "input_dtype": "uint8", "batch_size": 2}
    for input_dtype in ("float32", "uint8"):
        with pytest.raises(ConditionError):
            export_model(
                small_model(),
                tmp_path,
                label_names=NAMES,
                inputs=data[0],
                labels=data[1],
                **CLASSIFIER,
                **{**options, "input_dtype": input_dtype},
            )
        settings = [
            (row["variant"], row["input_dtype"], row["batch_size"], row["attention"])
            for row in record(tmp_path)["variants"]
        ]
        assert settings == [("savedmodel", "uint8", 1, False), ("fp32", input_dtype, 2, False)]


def test_a_file_that_does_not_run_is_a_failure_and_no_bad_input(data, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "keras_vit.export.tflite.writer.write_tflite", lambda _, path, *__: path.write_bytes(b"x")
    )
    with pytest.raises(ConditionError, match="not a TFLite file"):
        export_model(
            small_model(),
            tmp_path,
            label_names=NAMES,
            inputs=data[0],
            labels=data[1],
            **CLASSIFIER,
            variants=("fp32",),
        )
    assert sorted(os.listdir(tmp_path)) == ["app.md", "export.json", "labels.txt"]


def test_progress_is_reported(data, tmp_path):
    reported = []
    export_model(
        small_model(),
        tmp_path,
        label_names=NAMES,
        inputs=data[0],
        labels=data[1],
        **CLASSIFIER,
        variants=("savedmodel",),
        progress=lambda *step: reported.append(step),
    )
    steps = ("converting", "verifying on 12 images", "timing")
    own = ("the model", "computing its own answers")
    assert reported == [own, *(("savedmodel", step) for step in steps)]


def test_input_that_cannot_be_verified_with_is_refused(data, tmp_path):
    images, labels = data
    for bad, message in [
        ({"inputs": images[:, 1:]}, r"items \(n, 4, 4, 3\)"),
        ({"inputs": images[:0]}, r"received \(0, 4, 4, 3\)"),
        ({"inputs": np.full_like(images, np.nan, "float32")}, "finite"),
        ({"labels": labels[1:]}, "one label per item"),
        ({"labels": labels + 1}, "labels from 1 to 3"),
        ({"label_names": ("one", "two\nlines", "three")}, "text of one line each"),
    ]:
        given = {"label_names": NAMES, "inputs": images, "labels": labels, **CLASSIFIER, **bad}
        with pytest.raises(InputError, match=message):
            export_model(small_model(), tmp_path / "x", **given)
    assert not (tmp_path / "x").exists()


def test_a_model_whose_weights_are_nan_is_refused(data, tmp_path):
    model = small_model()
    model.layers[-1].kernel.assign(np.full((48, 3), np.nan))
    with pytest.raises(InputError, match="weight .*/kernel is NaN"):
        export_model(model, tmp_path / "x", inputs=data[0], labels=data[1], **CLASSIFIER)
    assert not (tmp_path / "x").exists()


def test_a_model_whose_outputs_are_nan_is_refused(tmp_path):
    x = keras.Input((2,))
    model = keras.Model(x, keras.ops.log(x))
    inputs = np.array([[1.0, 2.0], [3.0, 4.0], [-1.0, 2.0], [5.0, -6.0]], "float32")
    with pytest.raises(InputError, match="for 2 of 4 items, the first of them item 2"):
        export_model(model, tmp_path / "x", inputs=inputs)
    assert not (tmp_path / "x").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    try:
        result = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs the mount command")
    if result.returncode:
        pytest.skip(f"needs leave to mount: {result.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")
@pytest.mark.parametrize("variant", ["savedmodel", "fp32", "auto"])
def test_a_full_disk_is_bad_input_and_leaves_what_was_there(data, small_disk, variant):
    folder = small_disk / "export"
    earlier = {"export.json": "{}", "labels.txt": "old", FILES["fp16"]: "a", FILES["full_int8"]: "b"}
    folder.mkdir()
    for name, text in earlier.items():
        (folder / name).write_text(text)
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2000), keras.layers.Dense(3)]
    )
    with pytest.raises(InputError, match="No space left"):
        export_model(
            model,
            folder,
            label_names=NAMES,
            inputs=data[0],
            labels=data[1],
            **CLASSIFIER,
            variants=(variant,),
            calibration=np.tile(data[0], (3, 1, 1, 1)),
        )
    assert {path.name: path.read_text() for path in folder.iterdir()} == earlier
