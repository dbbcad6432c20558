import io

import numpy as np
import pytest
from PIL import Image

from keras_vit.__main__ import main
from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training.data import load_data
from keras_vit.training.data import shards as shards_module
from keras_vit.training.data.shards import DESCRIPTION, pack


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


def test_packed_images_are_reduced_on_request(photos, tmp_path):
    (photos / "cat" / "small.jpg").write_bytes(small := photo(99, (40, 20)))
    pack(load_data(f"folder:{photos}"), tmp_path / "packed", image_size=24)
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=16)
    items = packed.train.images.decoder.items
    contents = [items.read(index) for index in range(len(items))]
    assert small in contents
    assert {Image.open(io.BytesIO(content)).size for content in contents} == {(32, 24), (40, 20)}


def test_arrays_are_packed_without_loss(tmp_path):
    data = load_data("digits")
    pack(data, tmp_path / "packed")
    packed = load_data(f"shards:{tmp_path / 'packed'}", image_size=8)
    assert packed.image_shape == (8, 8, 1)
    np.testing.assert_array_equal(packed.test.images[:], data.test.images)


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
