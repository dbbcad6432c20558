"""How a folder of images is read: usual names of splits, and both readings where there are two."""

import collections
import os

import pytest
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.io.folders import passed_over_words
from keras_vit.io.image_formats import has_image_suffix, is_image_file
from keras_vit.training.data.layout import read_layout


@pytest.fixture
def made(tmp_path):
    """Makes a folder with images at some places, such as `train/cat/2` for two in train/cat."""

    def make(*places):
        for place in places:
            folder, count = place.rsplit("/", 1) if place.rpartition("/")[2].isdigit() else (place, 1)
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            for index in range(int(count)):
                Image.new("RGB", (4, 4), (index, 0, 0)).save(tmp_path / folder / f"{index}.png")
        return tmp_path

    return make


def counts(layout):
    return {s: {n: len(paths) for n, paths in found.items()} for s, found in layout.files.items()}


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "validation", "test"),
        ("train", "valid", "test"),  # Roboflow
        ("Training", "Validation", "Testing"),  # Kaggle
        ("Train", "dev", "Test"),
        ("TRAIN", "val", "TEST"),
    ],
)
def test_splits_have_the_usual_names_in_any_case(made, train, validation, test):
    root = made(f"{train}/cat/3", f"{train}/dog/2", f"{validation}/cat/1", f"{test}/cat/1", f"{test}/dog/2")
    layout = read_layout(root)
    assert counts(layout) == {
        "train": {"cat": 3, "dog": 2},
        "validation": {"cat": 1},
        "test": {"cat": 1, "dog": 2},
    }
    assert layout.reading == (
        f"splits: train ({train}), validation ({validation}), test ({test}); classes: their folders"
    )


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (["Training/1", "Testing/1"], "has splits .Testing, Training., but not class folders in it"),
        (["valid/cat", "test/cat"], "has splits .test, valid., but not a training folder"),
        (["train/cat", "training/cat"], "Expected one train folder in .*, found train and training"),
        (["train/cat", "train/dog", "extra/1"], "images that belong to none of them: extra"),
        (["train/cat", "train/dog", "val/cat", "/1"], "belong to none of them: 0.png"),
        (["cat", "dog", "test/2"], "test in .* can be a split or a class.*contains cat, dog; .*first"),
        (["cat/train", "cat/test", "dog/train", "dog/test"], "splits within classes, such as cat/test"),
        (["red/apple", "red/car", "green/apple", "green/car"], "read in two ways, as green contains apple"),
        (["animal/cat", "animal/dog", "vehicle/car"], "If animal, vehicle .*first; if cat, dog are, .*last"),
        (["ill/ann", "ill/bob", "well/eve", "well/joe"], "read in two ways"),
        (["cat", "dog", "/2"], "has images outside of its class folders: 0.png, 1.png"),
        (["train/cat", "train/dog", "train/1"], "train has images outside"),
        (["train/cat", "train/dog", "test/3"], "a folder for each class in .*test, found none"),
        ([], "a folder for each class"),
        (
            ["animal/cat", "animal/dog", "animal/1", "plant/oak", "plant/ash", "plant/2"],
            "read in two ways, as animal .*last, after you moved the images next to them, such as 0.png",
        ),
        (
            ["animal/cat", "animal/dog", "animal/1", "plant/2"],
            "read in two ways, as animal contains cat, dog",
        ),
        (["animal/images/cat", "animal/images/dog", "plant/1"], "read in two ways, as animal contains cat"),
        (
            ["cats/train", "cats/test", "cats/1", "dogs/train", "dogs/test", "dogs/1"],
            "splits within classes, such as cats/test. .* test/cats.* class_folders=first",
        ),
        (["cats/5", "cats/Val/2", "dogs/5", "dogs/Val/2"], "splits within classes, such as cats/Val"),
        (["cats/train", "cats/test", "cats/more", "dogs/2"], "splits within classes, such as cats/test"),
        (
            ["data/train/cat", "data/train/dog", "data/valid/cat", "data/valid/dog"],
            "a single folder, data, with train, valid in it. .* set data=folder:.*/data;",
        ),
        (["a/photos/cat", "a/photos/dog"], "a single folder, a/photos, with cat, dog .*=folder:.*/a/photos;"),
        (
            ["training_set/cat", "training_set/dog", "test_set/cat", "test_set/dog"],
            "If test_set, training_set are splits, rename them test, train; .*first; .* new splits .*last",
        ),
        (
            ["trn/cat", "trn/dog", "tst/cat", "tst/dog", "vld/cat", "vld/dog"],
            "rename them train, test, validation",
        ),
        (["01_train/cat", "01_train/dog", "02_val/cat", "02_val/dog"], "rename them train, validation; if"),
        (["cat/2", "cat/test_images/2", "dog/1"], "splits within classes, such as cat/test_images"),
        (["car/2", "train/steam", "train/ice"], "belong to none .*: car.* car, train as classes, .*=first"),
        (["train/photos/cat", "train/photos/dog"], "train contains a single folder, photos, with cat, dog"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_refused(made, places, message):
    with pytest.raises(InputError, match=message) as error:
        read_layout(made(*places))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("places", "class_folders", "expected"),
    [
        (["animal/cat/2", "animal/dog", "vehicle/car"], "first", {"animal": 3, "vehicle": 1}),
        (["animal/cat/2", "animal/dog", "vehicle/car"], "last", {"car": 1, "cat": 2, "dog": 1}),
        (["red/apple/2", "green/apple", "green/car"], "last", {"apple": 3, "car": 1}),
        (["cat", "dog", "test/2"], "first", {"cat": 1, "dog": 1, "test": 2}),
        (["Training/1", "Testing/2"], "first", {"Testing": 2, "Training": 1}),
        (["car/2", "train/steam", "train/ice"], "first", {"car": 2, "train": 2}),
    ],
)
def test_class_folders_chooses_a_reading(made, places, class_folders, expected):
    assert counts(read_layout(made(*places), class_folders)) == {"train": expected}


@pytest.mark.parametrize(
    ("places", "class_folders", "line"),
    [
        (
            ["animal/cat", "animal/dog", "animal/1", "plant/2"],
            "first",
            "animal contains cat, dog: taken as one",
        ),
        (
            ["animal/cat", "animal/dog", "plant/ash", "plant/oak"],
            "first",
            "animal contains cat, dog: taken as one class; 1 class more like it",
        ),
        (["cats/train", "cats/test", "dogs/2"], "first", "cats/test is not kept as a split"),
        (["animal/cat", "animal/2", "plant/1"], "last", "2 images directly in animal, next to cat: a class"),
        (
            ["test_set/cat", "test_set/dog", "training_set/cat", "training_set/dog"],
            "last",
            "test_set, training_set are not kept as splits: rename them test, train if they are",
        ),
        (["test_set/cat", "test_set/dog", "training_set/2"], "first", "test_set, training_set are not kept"),
        (["cats/train", "cats/test", "dogs/2"], "last", "the classes test have names of splits"),
    ],
)
def test_a_reading_that_was_asked_for_says_what_it_does_to_inner_folders(made, places, class_folders, line):
    assert any(line in found for found in read_layout(made(*places), class_folders).lines())


def test_empty_folders_of_splits_are_told(made):
    root = made("train/cat/2", "train/dog/2", "Test/cat", "Test/dog")
    for name in ("val/cat", "val/dog", "testing"):
        (root / name).mkdir(parents=True)
    lines = read_layout(root).lines()
    assert lines[1:] == [
        "the folder testing contains no images",
        "the folder val contains no images: the validation split is taken out of the training split",
    ]


@pytest.mark.parametrize("places", [["cat/2", "cat/more/1", "dog/1"], ["cat/images/3", "dog/images/1"]])
def test_folders_below_a_class_that_can_mean_nothing_else_belong_to_it(made, places):
    layout = read_layout(made(*places))
    assert counts(layout) == {"train": {"cat": 3, "dog": 1}}
    told = ("1 image in cat/more, next to 2 directly in cat: all of cat",)
    assert layout.notes == (told if "cat/2" in places else ())


def test_a_class_may_be_called_train(made):
    assert counts(read_layout(made("train", "tram"))) == {"train": {"train": 1, "tram": 1}}


FORMATS = {"JPEG": "jfif", "PNG": "x", "GIF": "", "WEBP": "img", "BMP": "", "TIFF": "tif", "AVIF": "avif"}


def test_images_are_known_by_their_content_and_others_are_counted(made):
    root = made("cat", "dog")
    for name, suffix in FORMATS.items():
        Image.new("RGB", (16, 16)).save(root / "cat" / f"{name}.{suffix}".rstrip("."), format=name)
    for name in ("a.txt", "b.txt", "c.JSON", "Makefile", ".DS_Store", "d.heic"):
        (root / "dog" / name).write_bytes(b"no image at all")
    layout = read_layout(root)
    assert counts(layout) == {"train": {"cat": 8, "dog": 1 + is_image_file("d.heic")}}
    assert layout.lines()[1].startswith("passed over: 2 .txt, ")
    assert layout.passed_over["without an ending"] == 1 and layout.passed_over[".json"] == 1


def test_photographs_that_need_a_package_are_passed_over_with_its_name():
    words = passed_over_words(collections.Counter({".heic": 2, ".txt": 1}))
    assert words == "2 .heic (read where pillow-heif is installed: pip install pillow-heif), 1 .txt"


def test_a_link_to_a_class_folder_is_followed_and_one_to_a_folder_above_is_not(made):
    root = made("cat", "dog")
    os.symlink(root / "cat", root / "kitten")
    os.symlink(root, root / "dog" / "again")
    layout = read_layout(root)
    assert counts(layout) == {"train": {"cat": 1, "dog": 1, "kitten": 1}}
    assert layout.kinds() == "1 behind a link to a folder above it"


def test_broken_links_pipes_and_raw_photographs_are_passed_over_by_kind(made):
    root = made("cat/3", "dog/3")
    os.symlink("nowhere.jpg", root / "cat" / "a.jpg")
    os.symlink("itself.jpg", root / "cat" / "itself.jpg")
    os.mkfifo(root / "dog" / "pipe.jpg")
    Image.new("RGB", (4, 4)).save(root / "dog" / "preview.NEF", format="TIFF")
    layout = read_layout(root)
    assert counts(layout) == {"train": {"cat": 3, "dog": 3}}
    assert layout.kinds() == "2 behind a broken link, 1 that is a pipe or a device, 1 .nef"


def test_only_folders_that_systems_make_are_left_out(made):
    found = counts(read_layout(made("__background__/2", "cat", "__MACOSX/cat", ".thumbnails/cat")))
    assert found == {"train": {"__background__": 2, "cat": 1}}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_named(made):
    root = made("cat", "dog")
    (root / "dog").chmod(0)
    with pytest.raises(InputError, match="dog cannot be read: Permission denied"):
        read_layout(root)


def test_folders_that_look_like_groups_are_pointed_out_where_splits_are_made_of_them(made):
    root = made("ill/anna/2", "ill/bob/2", "well/carl/2", "well/dora/2")
    (hint,) = read_layout(root, "first").hints
    assert (
        hint.startswith("images of one folder, such as anna, can be in two splits")
        and "set group=folder" in hint
    )
    assert hint in read_layout(root, "first").lines()
    assert read_layout(root, "last").hints == ()


def test_own_splits_need_no_hint_on_groups(made):
    classes = ("ill/anna", "ill/bob", "well/carl", "well/dora")
    root = made(*(f"{split}/{name}" for split in ("train", "val", "test") for name in classes))
    assert read_layout(root, "first").hints == ()


@pytest.mark.parametrize("ending", ["dng", "ERF", "kdc", "fff", "raw"])
def test_raw_photographs_are_no_images_though_they_begin_like_tiff(ending, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "preview.tif")
    raw = tmp_path / f"photo.{ending}"
    (tmp_path / "preview.tif").rename(raw)
    assert not is_image_file(raw)


@pytest.mark.parametrize(
    "name", ["a.jpg", "A.JPEG", "b.c.png", "jpg", "a.", "a.jpg.txt", "a.heic", "a.cr2", "a"]
)
def test_the_ending_of_a_name_alone_says_what_its_path_does(name):
    assert has_image_suffix(name) == (is_image_file(f"/none/x.png/{name}") and name != "a.heic")
