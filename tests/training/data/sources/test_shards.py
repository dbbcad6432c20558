import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import keras_vit.training
from keras_vit.__main__ import main
from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json, write_json
from keras_vit.io.locking import exclusively
from keras_vit.training.data import load_data
from keras_vit.training.data import shards as shards_module
from keras_vit.training.data.shards import DESCRIPTION, pack
from keras_vit.training.data.storage import resize


def photo(seed, size=(96, 72), kind="JPEG"):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(file, kind)
    return file.getvalue()


@pytest.fixture
def photos(tmp_path):
    for number in range(30):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(number))
    return tmp_path / "photos"


def test_packed_images_are_those_of_the_files_with_the_same_splits(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SIZE", 10_000)
    data = load_data(f"folder:{photos}", image_size=32, seed=3)
    files = pack(data, tmp_path / "packed")
    assert len(files) > 5 and sum(file["images"] for file in files) == 30
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=32)
    assert (
        packed.label_names == ("cat", "dog") and packed.found[0] == "packed splits: train, validation, test"
    )
    for name, split in data.splits.items():
        np.testing.assert_array_equal(packed.splits[name].labels, split.labels)
        np.testing.assert_array_equal(packed.splits[name].images[:], split.images[:])


def test_weights_and_groups_are_packed(photos, tmp_path, capsys):
    rows = []
    for number in range(30):
        label = ("cat", "dog")[number % 2]
        patient = number // 6 if number < 29 else ""
        rows.append(f"photos/{label}/{number}.jpg,{label},{number + 1},{patient}")
    (tmp_path / "table.csv").write_text("\n".join(["path,label,weight,patient", *rows]))
    options = {"weight_column": "weight", "group": "column:patient", "image_size": 16}
    given = load_data(f"table:{tmp_path / 'table.csv'}", **options)
    words = ["--weight-column", "weight", "--group", "column:patient"]
    assert main(["pack", f"table:{tmp_path / 'table.csv'}", str(tmp_path / "packed"), *words]) == 0
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=16)
    for name, split in given.splits.items():
        np.testing.assert_array_equal(packed.splits[name].weights, split.weights)
    assert any("groups: 5 by column group" in line and "1 image is in none" in line for line in packed.found)
    for number in range(1, 4):
        fold = load_data(f"shards:{tmp_path / 'packed'}", image_size=16, fold=f"{number}/3")
        patients = [{int(w - 1) // 6 for w in split.weights if w < 30} for split in fold.splits.values()]
        assert sum(map(len, patients)) == len(set.union(*patients)) >= 3


def test_packed_images_are_reduced_on_request(photos, tmp_path):
    (photos / "cat" / "small.jpg").write_bytes(small := photo(99, (40, 20)))
    pack(load_data(f"folder:{photos}"), tmp_path / "packed", image_size=24)
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=16)
    items = packed.train.images.decoder.items
    contents = [items.read(index) for index in range(len(items))]
    assert small in contents
    assert {Image.open(io.BytesIO(content)).size for content in contents} == {(32, 24), (40, 20)}


def test_what_a_recipe_decides_about_later_is_not_reduced(photos, tmp_path):
    values = np.random.default_rng(0).integers(300, 2900, (90, 90)).astype("uint16")
    Image.fromarray(values).save(photos / "cat" / "deep.png")
    clear = Image.new("RGBA", (90, 90), (0, 0, 0, 0))
    clear.paste((9, 9, 9, 255), (20, 20, 60, 60))
    clear.save(photos / "dog" / "clear.png")
    kept = {(photos / "cat" / "deep.png").read_bytes(), (photos / "dog" / "clear.png").read_bytes()}
    assert main(["check", f"folder:{photos}"]) == 2  # of deep.png, which loses its levels
    assert main(["check", f"folder:{photos}", "--sixteen-bit", "data"]) == 0
    assert main(["pack", f"folder:{photos}", str(tmp_path / "packed"), "--image-size", "48"]) == 0
    options = {"image_size": 24, "sixteen_bit": "300:2900", "background": "#102030"}
    packed = keras_vit.training.load_data(f"shards:{tmp_path / 'packed'}", **options)
    items = packed.train.images.decoder.items
    assert kept <= {items.read(index) for index in range(len(items))}
    whole = keras_vit.training.load_data(f"folder:{photos}", **options)
    assert whole.preparation == packed.preparation
    assert whole.preparation.window == (300, 2900) and whole.preparation.background == (16, 32, 48)


def test_a_pack_that_is_killed_leaves_nothing_and_is_begun_again(photos, tmp_path):
    started = tmp_path / "started"
    program = f"""
import os, signal
from keras_vit.training.data import load_data, shards
add = shards._Writer.add
def killed(writer, content):
    add(writer, content)
    open({str(started)!r}, "a").write("x")
    if os.path.getsize({str(started)!r}) == 20:
        os.kill(os.getpid(), signal.SIGKILL)
shards._Writer.add = killed
shards.pack(load_data("folder:{photos}"), __import__("pathlib").Path({str(tmp_path / "out")!r}))
"""
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}  # which starts sooner
    killed = subprocess.run([sys.executable, "-c", program], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".out-????????/out/*.arrayrecord"))) == 1
    assert not (tmp_path / "out").exists()
    assert main(["pack", f"folder:{photos}", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos", "started"]


def test_a_disk_that_fills_while_it_is_written_is_one_line_and_leaves_nothing(photos, tmp_path, capsys):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (20_000, limits[1])
    )  # bytes that a file may have, as by a quota
    try:
        assert main(["pack", f"folder:{photos}", str(tmp_path / "out")]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "No space left on the disk" in (shown := capsys.readouterr().err) and shown.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_what_cannot_have_space_is_refused_before_it_is_written(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shards_module, "free_space", lambda folder: 1000)
    assert main(["pack", f"folder:{photos}", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert "to write: 0.1 MB, " in shown.out and "take 0.1 MB in" in shown.err and "--image-size" in shown.err
    assert main(["pack", f"folder:{photos}", str(tmp_path / "out"), "--image-size", "8"]) == 0


def test_two_processes_do_not_pack_into_one_folder(photos, tmp_path, capsys):
    with exclusively(tmp_path / "out.pack", "busy"):
        assert main(["pack", f"folder:{photos}", str(tmp_path / "out")]) == 2
    assert f"Another process packs into {tmp_path / 'out'}" in capsys.readouterr().err


def test_arrays_are_packed_without_loss(tmp_path):
    data = load_data("digits")
    pack(data, tmp_path / "packed")
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=8)
    assert packed.image_shape == (8, 8, 1)
    np.testing.assert_array_equal(packed.test.images[:], data.test.images)


def test_arrays_are_reduced_on_request(tmp_path):
    data = load_data("digits")
    pack(data, tmp_path / "packed", image_size=4)
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=4)
    images = packed.test.images[:].astype(int)
    assert packed.test.images.decoder.read(0).shape == (4, 4, 1)
    assert np.abs(images - resize(data.test.images, (4, 4)).astype(int)).max() == 0


@pytest.fixture
def packed(photos, tmp_path):
    pack(load_data(f"folder:{photos}"), tmp_path / "packed")
    return tmp_path / "packed"


def test_a_shard_that_is_cut_is_refused(packed):
    with open(packed / "train-00000.arrayrecord", "r+b") as file:
        file.truncate(5000)
    with pytest.raises(InputError, match="train-00000.arrayrecord is damaged or cut: it has 5,000 bytes of"):
        load_data(f"shards:{packed}")


def test_a_changed_byte_of_an_image_is_noticed(packed, photos):
    shard = packed / "train-00000.arrayrecord"
    content = bytearray(shard.read_bytes())
    places = [content.find(path.read_bytes()[500:520]) for path in photos.glob("*/*.jpg")]
    content[max(places)] ^= 8
    shard.write_bytes(content)
    with pytest.raises(InputError, match="train-00000.arrayrecord is damaged or cut: .*orrupt"):
        load_data(f"shards:{packed}", examine=True)


@pytest.mark.parametrize("change", ["absent", "format", "no training", "files", "labels", "not JSON"])
def test_a_damaged_description_is_refused(change, packed):
    found = read_json(packed / DESCRIPTION)
    if change == "absent":
        (packed / DESCRIPTION).unlink()
    elif change == "labels":
        np.savez(packed / "train.npz", labels=np.zeros(3), sizes=np.zeros(3), contents=np.zeros(3))
    elif change == "not JSON":
        (packed / DESCRIPTION).write_text("{")
    else:
        found["format"] = 2 if change == "format" else 1
        found["splits"] = {"test": []} if change == "no training" else found["splits"]
        if change == "files":
            del found["splits"]["train"][0]["images"]
        write_json(packed / DESCRIPTION, found)
    with pytest.raises(InputError, match=str(packed)):
        load_data(f"shards:{packed}")


def test_the_command_packs_and_says_how_to_train(photos, tmp_path, capsys):
    assert main(["pack", f"folder:{photos}", str(tmp_path / "out"), "--image-size", "48"]) == 0
    shown = capsys.readouterr().out
    assert "30 images in 3 files" in shown and f"data=shards:{tmp_path / 'out'}" in shown
    assert main(["pack", f"folder:{photos}", str(tmp_path / "out")]) == 2
    assert "has shards already" in capsys.readouterr().err
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine")
    assert main(["pack", f"folder:{photos}", str(tmp_path / "used")]) == 2
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["mine.txt"]
