"""Images that are decoded when they are used: the same ones as those of an array, whatever keeps them."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.io.images import decode_image, decode_reduced, read_image
from keras_vit.training.data import decoded as decoded_module
from keras_vit.training.data import file_samples, load_data
from keras_vit.training.data.items import SAMPLE, FileItems, StoredItems
from keras_vit.training.data.random_crop import RandomCrop

RNG = np.random.default_rng(0)


def photo(size, detail=8, quality=90):
    """A JPEG of random colours that change over `detail` pixels."""
    pixels = RNG.integers(0, 256, (size[1] // detail, size[0] // detail, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture
def photos(tmp_path):
    for number in range(24):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo([(160, 120), (90, 160), (800, 600)][number % 3]))
    return tmp_path / "photos"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_rows_are_those_that_each_file_gives_alone(photos, cache):
    train = load_data(f"folder:{photos}", image_size=(32, 24)).train
    every = train.images[:]
    assert every.shape == train.images.shape == (len(train), 32, 24, 3) and every.dtype == np.uint8
    items, indices = train.images.decoder.items, train.images.indices
    for row in (0, 5, -1):
        alone = read_image(items.name(indices[row]), (32, 24))
        np.testing.assert_array_equal(every[row], alone)
        np.testing.assert_array_equal(train.images[row], alone)
    np.testing.assert_array_equal(train.images[[3, 1]], every[[3, 1]])
    np.testing.assert_array_equal(train.images[4:9:2], every[4:9:2])
    np.testing.assert_array_equal(np.asarray(train.take(np.array([7, 2])).images), every[[7, 2]])


@pytest.mark.parametrize("kept", ["cache", "off"])
def test_images_are_the_same_from_the_files_and_from_the_cache(kept, photos, cache, monkeypatch):
    first = load_data(f"folder:{photos}", image_size=32)
    uniforms = RNG.random((len(first.train), RandomCrop.UNIFORMS))
    rows, crop = np.arange(len(first.train)), RandomCrop(0.2)
    expected = first.train.images[:], first.train.cropped(rows, crop, uniforms)
    if kept == "off":
        monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    second = load_data(f"folder:{photos}", image_size=32)
    if kept == "cache":
        second.train.images.decoder.decode = None  # nothing is left to decode
    found = second.train.images[:], second.train.cropped(rows, crop, uniforms)
    np.testing.assert_array_equal(found, expected)


def test_a_file_that_changes_is_decoded_again(photos, cache):
    before = load_data(f"folder:{photos}", image_size=16).train.images[:]
    for path in photos.glob("cat/*.jpg"):
        path.write_bytes(photo((64, 64)))
    after = load_data(f"folder:{photos}", image_size=16)
    cats = after.train.labels == 0
    paths = [after.train.images.decoder.items.name(index) for index in after.train.images.indices[cats]]
    np.testing.assert_array_equal(after.train.images[cats], [read_image(path, (16, 16)) for path in paths])
    assert not np.array_equal(before[cats], after.train.images[cats])


def test_the_cache_of_one_size_is_not_that_of_another(photos, cache):
    for size in (16, 48):
        images = load_data(f"folder:{photos}", image_size=size).train.images
        assert images[:].shape[1:3] == (size, size)
        np.testing.assert_array_equal(
            images[0], read_image(images.decoder.items.name(images.indices[0]), (size, size))
        )


def test_large_images_are_reduced_while_they_are_decoded():
    data = photo((1600, 1200), detail=50)
    whole = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    expected = np.asarray(Image.fromarray(whole).resize((64, 48), Image.Resampling.BILINEAR)).astype(int)
    found = decode_image(data, "a photo", (48, 64)).astype(int)
    assert np.abs(found - expected).mean() < 2  # grey levels
    png = io.BytesIO()
    Image.fromarray(whole).save(png, "PNG")
    assert np.abs(decode_image(png.getvalue(), "a picture", (48, 64)).astype(int) - expected).mean() < 2


def test_equal_files_have_equal_contents_wherever_they_are(tmp_path):
    contents = [photo((320, 240)), photo((320, 240)), b"short", b"short ", bytes(3 * SAMPLE)]
    middle = len(contents[0]) // 2
    contents.append(contents[0][:middle] + bytes([contents[0][middle] ^ 1]) + contents[0][middle + 1 :])
    for number, content in enumerate(contents + contents[:3]):
        (tmp_path / f"{number}.jpg").write_bytes(content)
    items = FileItems(tmp_path, [str(tmp_path / f"{number}.jpg") for number in range(9)])
    found = items.contents()
    assert len(set(found[:6].tolist())) == 6 and found[6:].tolist() == found[:3].tolist()
    assert len(set(items.stamps().tolist())) == 9
    stored = StoredItems(((str(n), content) for n, content in enumerate(contents)), "a source", "1")
    assert [stored.read(index) for index in range(6)] == contents and stored.sizes[2] == 5
    assert len(set(stored.contents().tolist())) == 6


@pytest.mark.parametrize("broken", [False, True])
def test_other_processes_read_the_same_of_many_files(broken, tmp_path, monkeypatch):
    paths = [tmp_path / f"{number} \N{PILCROW SIGN}\n.jpg" for number in range(12)]
    for number, path in enumerate(paths):
        path.write_bytes(RNG.bytes(2 * SAMPLE if number % 2 else 9) + b"x" * (number % 3))
    monkeypatch.chdir(tmp_path)
    names = [*map(str, paths[:10]), *(path.name for path in paths[10:])]
    alone = FileItems(tmp_path, names)
    found = []

    def counted(*arguments):
        found.append(read(*arguments))
        return found[-1]

    read = file_samples._read
    monkeypatch.setattr(file_samples, "shares", lambda count: [slice(0, 4), slice(4, 9), slice(9, count)])
    monkeypatch.setattr(FileItems, "_is_slow", lambda self: False)
    monkeypatch.setattr(file_samples, "_read", counted)
    if broken:
        monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    together = FileItems(tmp_path, names)
    assert len(found) == (12 if broken else 4)
    for values in ("sizes", "stamps", "contents"):
        ours, expected = (getattr(items, values) for items in (together, alone))
        if values != "sizes":
            ours, expected = ours(), expected()
        np.testing.assert_array_equal(ours, expected)
    assert len(set(alone.contents().tolist())) == len(set(alone.stamps().tolist())) == 12
    paths[-1].unlink()
    with pytest.raises(InputError, match="(?s)Expected an image file at .*: No such file"):
        FileItems(tmp_path, names)


def test_a_file_that_is_removed_after_it_was_found_is_like_no_other(tmp_path):
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in paths:
        path.write_bytes(b"same")
    items = FileItems(tmp_path, [*map(str, paths)])
    paths[-1].unlink()
    assert len(set(items.contents().tolist())) == 2


def test_files_are_shared_out_to_the_cores(monkeypatch):
    monkeypatch.setattr(file_samples.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert file_samples.shares(9_999) == [slice(0, 9_999)]
    assert file_samples.shares(30_001) == [slice(0, 10_000), slice(10_000, 20_000), slice(20_000, 30_001)]


@pytest.mark.parametrize("kept", ["cache", "off"])
def test_a_mirrored_part_is_the_part_mirrored(kept, photos, cache, monkeypatch):
    if kept == "off":
        monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    train = load_data(f"folder:{photos}", image_size=(32, 24)).train
    rows, flipped = np.arange(6), np.arange(6) % 3 == 0
    uniforms, crop = RNG.random((6, RandomCrop.UNIFORMS)), RandomCrop(0.2)
    expected = np.stack(
        [
            crop(train.images.decoder.read(i), u, (32, 24))
            for i, u in zip(train.images.indices[:6], uniforms, strict=True)
        ]
    )
    np.testing.assert_array_equal(train.cropped(rows, crop, uniforms), expected)
    expected[flipped] = expected[flipped][:, :, ::-1]
    np.testing.assert_array_equal(train.cropped(rows, crop, uniforms, flipped), expected)


def test_each_image_is_decoded_once_before_the_start(photos, cache, monkeypatch):
    Image.new("RGBA", (40, 30), (9, 9, 9, 99)).save(photos / "cat" / "clear.png")
    decoded = []

    def counted(data, name, *arguments):
        decoded.append(name)
        return decode_reduced(data, name, *arguments)

    monkeypatch.setattr(decoded_module, "decode_reduced", counted)
    data = load_data(f"folder:{photos}", image_size=32)
    assert len(decoded) == len(set(decoded)) == 25
    assert any("1 image has transparent parts" in line for line in data.found)


def test_images_that_differ_in_a_corner_alone_are_told_apart(tmp_path):
    for number in range(4):
        pixels = np.zeros((64, 96, 3), "uint8")
        pixels[0, :2] = number % 3
        Image.fromarray(pixels).save(tmp_path / f"{number}.bmp")
    found = FileItems(tmp_path, [str(tmp_path / f"{number}.bmp") for number in range(4)]).contents()
    assert len(set(found[:3].tolist())) == 3 and found[3] == found[0]


def test_a_file_that_breaks_during_training_is_named(photos, cache, monkeypatch):
    monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    monkeypatch.setattr("keras_vit.training.data.decoded.IN_MEMORY", 0)
    train = load_data(f"folder:{photos}", image_size=16).train
    path = train.images.decoder.items.name(train.images.indices[3])
    with open(path, "r+b") as file:
        file.truncate(100)
    with pytest.raises(InputError, match=rf"{path} is truncated or broken"):
        train.images[2:5]
