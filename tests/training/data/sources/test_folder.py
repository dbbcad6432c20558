import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import DataWarning, InputError
from keras_vit.io import folders
from keras_vit.training.data import near_duplicates
from keras_vit.training.data.sources import LoadOptions, find_source, folder


def read_folder(path, image_size=None, skip_broken=False):
    parts, names, *_ = folder.load(str(path), LoadOptions(image_size, skip_broken=skip_broken))
    return parts, names


def save(path, colour, size=(12, 9), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path)


@pytest.fixture
def photos(tmp_path):
    """Two classes of images of many kinds and sizes."""
    root = tmp_path / "photos"
    save(root / "cat" / "a.jpg", (200, 0, 0), (30, 20))
    save(root / "cat" / "B.PNG", (210, 0, 0), (5, 40), "RGBA")
    save(root / "cat" / "deeper" / "c.gif", (220, 0, 0), mode="P")
    save(root / "dog" / "d.webp", (0, 0, 200))
    save(root / "dog" / "e.bmp", (0, 0, 210), (1, 1))
    return root


def test_images_of_any_kind_and_size_are_read_with_the_folder_as_label(photos):
    parts, names = read_folder(photos, (8, 6))
    images, labels = parts["train"].images, parts["train"].labels
    assert list(parts) == ["train"] and names == ("cat", "dog")
    assert images.shape == (5, 8, 6, 3) and images.dtype == np.uint8 and labels.dtype == np.int32
    assert labels.tolist() == [0, 0, 0, 1, 1]
    assert (images[:3][..., 0] > 190).all() and (images[3:][..., 2] > 190).all()


def test_images_are_224_pixels_wide_by_default(photos):
    assert read_folder(photos)[0]["train"].images.shape == (5, 224, 224, 3)


def test_hidden_files_and_files_that_are_no_images_by_name_are_passed_over(photos):
    (photos / "cat" / ".hidden.jpg").write_bytes(b"no image")
    (photos / "cat" / "._a.jpg").write_bytes(b"no image")
    (photos / "cat" / "notes.txt").write_text("no image")
    (photos / "cat" / ".cache").mkdir()
    (photos / "cat" / ".cache" / "z.jpg").write_bytes(b"no image")
    (photos / ".git").mkdir()
    (photos / "__MACOSX").mkdir()
    (photos / "README.md").write_text("about the photos")
    parts, names = read_folder(photos, (4, 4))
    assert names == ("cat", "dog") and len(parts["train"]) == 5


def test_photographs_that_need_a_package_are_a_warning(photos, monkeypatch):
    is_read = folders.is_image_file
    monkeypatch.setattr(folders, "is_image_file", lambda path: is_read(path) and not path.endswith(".heic"))
    (photos / "cat" / "one.heic").write_bytes(b"")
    with pytest.warns(DataWarning, match="1 photograph is HEIC and passed over: .*pip install pillow-heif"):
        read_folder(photos, (4, 4))


def test_folders_of_splits_are_kept_as_splits(tmp_path):
    for split, count in (("Training", 3), ("valid", 2), ("test", 1)):
        for name in ("cat", "dog"):
            for index in range(count):
                save(tmp_path / split / name / f"{index}.png", (index, 0, 0))
    parts, names = read_folder(tmp_path, (4, 4))
    assert {name: len(part) for name, part in parts.items()} == {"train": 6, "validation": 4, "test": 2}
    assert names == ("cat", "dog")


def test_a_test_split_may_lack_a_class_and_keeps_the_labels_of_training(tmp_path):
    for name in ("cat", "dog"):
        save(tmp_path / "train" / name / "a.png", (0, 0, 0))
    save(tmp_path / "test" / "dog" / "b.png", (0, 0, 0))
    assert read_folder(tmp_path, (4, 4))[0]["test"].labels.tolist() == [1]


def test_a_class_that_training_has_not_is_refused(tmp_path):
    for path in ("train/cat", "train/dog", "test/horse"):
        save(tmp_path / path / "a.png", (0, 0, 0))
    with pytest.raises(InputError, match="The test split of .* has classes that training lacks: horse"):
        read_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_broken_image_is_refused_by_name(content, photos):
    whole = (photos / "cat" / "a.jpg").read_bytes()
    (photos / "dog" / "f.jpg").write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=r"dog/f\.jpg"):
        read_folder(photos, (4, 4))


@pytest.fixture
def partly_broken(tmp_path):
    """Splits of good images with broken ones in two of them."""
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            for index in range(3):
                save(tmp_path / split / name / f"{index}.png", (index, 0, 0))
    for place in ("train/cat/bad.jpg", "train/dog/1.png", "test/dog/bad.gif"):
        (tmp_path / place).write_bytes(b"no image")
    return tmp_path


def test_all_broken_images_are_named_in_one_error(partly_broken):
    with pytest.raises(
        InputError, match="3 of 14 images in .* cannot be read: train/cat/bad.jpg, train/dog"
    ) as e:
        read_folder(partly_broken, (4, 4))
    assert "test/dog/bad.gif" in str(e.value) and "skip_broken=True (--skip-broken)" in str(e.value)
    assert "\n" not in str(e.value)


def test_of_many_broken_images_twenty_are_named_and_the_rest_counted(photos):
    for index in range(30):
        (photos / "cat" / f"bad{index:02}.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"30 of 35 images .*bad19\.jpg and 10 more\."):
        read_folder(photos, (4, 4))


def test_broken_images_are_left_out_on_request_and_named(partly_broken):
    with pytest.warns(DataWarning, match="3 of 14 images .* train/cat/bad.jpg.* are left out"):
        parts, _ = read_folder(partly_broken, (4, 4), skip_broken=True)
    assert parts["train"].labels.tolist() == [0, 0, 0, 1, 1] and parts["test"].labels.tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]
    assert parts["train"].images[:][:, 0, 0, 0].tolist() == [0, 1, 2, 0, 2]


def test_an_image_that_could_not_be_read_is_tried_again(partly_broken, monkeypatch, recwarn):
    """What it lacked, such as a package or a permission, may be there now, and the file the same."""
    decode = near_duplicates.decode_reduced

    def refuse(data, name, *arguments):
        if "cat" in name:
            raise InputError("no such decoder")
        return decode(data, name, *arguments)

    monkeypatch.setattr(near_duplicates, "decode_reduced", refuse)
    with pytest.warns(DataWarning, match="9 of 14 images"):
        read_folder(partly_broken, (4, 4), skip_broken=True)
    monkeypatch.setattr(near_duplicates, "decode_reduced", decode)
    for _ in range(2):
        with pytest.warns(DataWarning, match="3 of 14 images"):
            read_folder(partly_broken, (4, 4), skip_broken=True)


def test_an_intact_folder_reports_nothing_where_broken_images_may_be_skipped(photos, recwarn):
    assert len(read_folder(photos, (4, 4), skip_broken=True)[0]["train"]) == 5
    assert not recwarn.list


def test_an_empty_class_folder_is_refused_by_name(photos):
    (photos / "bird").mkdir()
    (photos / "bird" / "b.txt").write_bytes(b"")
    with pytest.raises(InputError, match="bird contains no images"):
        read_folder(photos)


def test_images_without_class_folders_are_refused_with_the_fix(tmp_path):
    save(tmp_path / "a.png", (0, 0, 0))
    with pytest.raises(InputError, match="a folder for each class .* Put the images"):
        read_folder(tmp_path)


def test_more_other_files_than_images_are_refused_or_left_out_on_request(photos):
    for index in range(6):
        (photos / "cat" / f"{index}.mov").write_bytes(b"film")
    with pytest.raises(InputError, match=r"5 images, and more files that are none: 6 \.mov.*--skip-broken"):
        read_folder(photos, (4, 4))
    assert len(read_folder(photos, (4, 4), skip_broken=True)[0]["train"]) == 5


def test_a_missing_folder_and_a_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="found nothing"):
        read_folder(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="found a file"):
        read_folder(tmp_path / "file")


def test_several_tables_of_labels_are_refused(tmp_path):
    for name in ("Labels.CSV", "labels.parquet"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="one table of labels in .*, found Labels.CSV, labels.parquet"):
        folder.load(str(tmp_path), LoadOptions())


def test_the_current_folder_is_called_by_its_name(photos, monkeypatch):
    monkeypatch.chdir(photos)
    assert find_source("folder:.")[2] == find_source("folder:cat/..")[2] == "folder:photos"
    assert folder.load(".", LoadOptions()).lines[0] == "classes: the folders of photos, without splits"


def test_class_folders_that_differ_in_case_alone_are_told(tmp_path):
    for number, name in enumerate(("Cat", "cat", "dog")):
        save(tmp_path / name / "a.png", (number, 0, 0))
    lines = folder.load(str(tmp_path), LoadOptions()).lines
    assert f"'Cat' and 'cat' in {tmp_path} are different classes: write them alike if they mean one" in lines
