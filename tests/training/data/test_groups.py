"""Groups that a user names, from the folder or table to the splits."""

import csv

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.training import ImageRecipe, evaluate, load_data, train
from keras_vit.training.data.groups import OF_NAMES


def write(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), "uint8")
    Image.fromarray(pixels).save(path)


@pytest.fixture
def patients(tmp_path):
    """Two classes of six people with five pictures each, in folders of their own."""
    for label in ("ill", "well"):
        for person in range(6):
            for number in range(5):
                seed = (label == "ill", person, number)
                write(tmp_path / label / f"{label}{person}" / f"{number}.png", seed)
    return tmp_path


@pytest.fixture
def table(tmp_path):
    rows = []
    for number in range(60):
        write(tmp_path / "images" / f"{number}.png", number)
        rows.append((f"images/{number}.png", ("cat", "dog")[number % 2], f"p{number % 20:02}"))
    with open(tmp_path / "table.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "patient"), *rows])
    return f"table:{tmp_path / 'table.csv'}"


def people(data, part=-2):
    return [{name.split("/")[part] for name in split.names()} for split in data.splits.values()]


def are_apart(sides):
    return sum(map(len, sides)) == len(set.union(*sides))


@pytest.mark.parametrize("group", ["folder", r"pattern:^\w+/(\w+)/", r"pattern:(\d)/"])
def test_people_are_in_one_split_and_their_number_is_told(group, patients):
    data = load_data(f"folder:{patients}", class_folders="first", image_size=8, group=group)
    assert are_apart(people(data)) and all(people(data))
    count = 6 if group == r"pattern:(\d)/" else 12
    assert data.found[1].startswith(f"groups: {count} by {group.replace(':', ' ', 1)} (")
    assert not any("can be in two splits" in line for line in data.found)
    for split in data.splits.values():
        assert np.ptp(np.bincount(split.labels)) == 0
        assert split.num_groups == count // 2 * len(split) // 30


def test_the_interval_of_a_result_says_how_many_groups_it_is_by(patients, tmp_path_factory):
    recipe = ImageRecipe(
        data=f"folder:{patients}",
        class_folders="first",
        group="folder",
        image_size=8,
        model="linear",
        epochs=1,
        batch_size=10,
    )
    folder = tmp_path_factory.mktemp("run")
    run = train(recipe, folder)
    metrics = evaluate(folder)
    assert (metrics["num_images"], metrics["num_groups"]) == (10, 2)
    assert "10 images, assumed independent, of 2 groups" in run.task.place(metrics)[0]


def test_a_column_names_the_groups(table):
    data = load_data(table, image_size=8, group="column:patient")
    sides = [{int(name.split("/")[-1][:-4]) % 20 for name in s.names()} for s in data.splits.values()]
    assert are_apart(sides) and [len(split) for split in data.splits.values()] == [48, 6, 6]


def test_the_column_of_groups_is_no_label_of_all_others(table):
    data = load_data(table, image_size=8, group="column:patient", label_column="*")
    assert data.label_names == ("cat", "dog")


def test_images_of_several_labels_have_groups_too(table, tmp_path):
    tagged = [
        (f"images/{number}.png", "" if number % 2 else "red;big", f"p{number % 20}") for number in range(60)
    ]
    with open(tmp_path / "tags.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "patient"), *tagged])
    options = {"label_kind": "several", "image_size": 8}
    data = load_data(f"table:{tmp_path / 'tags.csv'}", group="column:patient", **options)
    sides = [{int(name.split("/")[-1][:-4]) % 20 for name in s.names()} for s in data.splits.values()]
    assert are_apart(sides)
    tested = [load_data(f"table:{tmp_path / 'tags.csv'}", fold=f"{n}/3", **options).test for n in (1, 2, 3)]
    assert [split.labels.sum(axis=0).tolist() for split in tested] == [[10, 10]] * 3


def test_images_of_no_group_are_told_and_kept_one_by_one(patients):
    data = load_data(f"folder:{patients}", class_folders="first", image_size=8, group=r"pattern:ill/(\w+)/")
    assert data.found[1].endswith("; 30 images are in none, and kept one by one")


def test_each_fold_tests_other_people_and_all_images_once(patients):
    tested = []
    for number in (1, 2, 3):
        data = load_data(
            f"folder:{patients}", class_folders="first", image_size=8, group="folder", fold=f"{number}/3"
        )
        assert are_apart(people(data)) and data.found[1].startswith(f"fold {number} of 3")
        tested += data.test.names()
    assert len(tested) == len(set(tested)) == 60


def test_a_given_test_split_is_in_no_fold(tmp_path):
    arrays = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), "uint8")
    given = {"train": (arrays[:24], np.arange(24) % 2), "val": (arrays[24:30], np.arange(6) % 2)}
    whole = {**given, "test": (arrays[30:], np.arange(10) % 2)}
    tested = [load_data(whole, fold=f"{number}/3") for number in (1, 2, 3)]
    found = [image.tobytes() for data in tested for image in data.test.images]
    assert sorted(found) == sorted(image.tobytes() for image in arrays[:30])
    assert (
        tested[0]
        .found[-1]
        .endswith("a part of 30 images; the 10 of the source's own test split are in no fold")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "person"}, "Expected group to be folder .*, column:NAME .*, received 'person'"),
        ({"group": "column:"}, "Expected group to be folder"),
        ({"group": "pattern:ill.*"}, "Expected a part in parentheses in group=pattern:ill"),
        ({"group": "pattern:("}, "is no regular expression: missing"),
        ({"group": "pattern:(patient)"}, "finds no group of any image of .*, such as ill/ill0/0.png"),
        ({"group": "column:patient"}, "needs data with columns, table:FILE or hf:NAME, received folder:"),
        ({"group": r"pattern:^(\w+)/"}, "makes one group of all images of each class of .*, such as ill"),
        ({"group": "folder", "fold": "1/7"}, "received 7: ill has 30 images in 6 groups"),
        ({"fold": "1/31"}, "received 31: ill has 30 images. Take fewer folds"),
        ({"fold": "6/5"}, "Expected fold to be NUMBER/COUNT .*, received '6/5'"),
    ],
)
def test_wrong_groups_are_refused_in_one_line(options, message, patients):
    with pytest.raises(InputError, match=message) as error:
        load_data(f"folder:{patients}", class_folders="first", image_size=8, **options)
    assert "\n" not in str(error.value)


def test_an_unknown_column_is_refused_with_those_that_there_are(table):
    with pytest.raises(InputError, match="group=column:person to name a column of .* path, label, patient"):
        load_data(table, image_size=8, group="column:person")


def test_a_recipe_has_groups_of_files_alone():
    assert ImageRecipe(data="folder:photos", group="folder").group == "folder"
    with pytest.raises(InputError, match="data=digits has no group"):
        ImageRecipe(group="folder")
    with pytest.raises(InputError, match="received 'often'"):
        ImageRecipe(data="folder:photos", group="often")
    with pytest.raises(InputError, match="needs image files"):
        load_data("digits", group="folder")


def test_a_group_in_two_given_splits_is_refused(tmp_path):
    for split, names in (("train", "abcd"), ("test", "cde")):
        for place, name in enumerate(names):
            write(tmp_path / split / ("cat", "dog")[place % 2] / f"{name}_1.png", (place, len(names)))
    message = "2 groups are in two given splits of .*, train and test: c, d. Move each"
    with pytest.raises(InputError, match=message):
        load_data(f"folder:{tmp_path}", image_size=8, group=r"pattern:(\w)_\d")


def named(folder, names):
    for label in ("cat", "dog"):
        for place, name in enumerate(names):
            write(folder / label / f"{label}{name}", (label == "cat", place))
    return f"folder:{folder}"


@pytest.mark.parametrize(
    "names",
    [
        [f"patient_{p:02}_slice_{n}.png" for p in range(5) for n in range(4)],
        [f"video{p}_frame{n:04}.png" for p in range(5) for n in range(4)],
    ],
)
def test_names_of_files_that_look_like_groups_get_a_line_whose_advice_works(names, tmp_path):
    spec = named(tmp_path, names)
    hint = load_data(spec, image_size=8).found[-1]
    assert hint.startswith("40 files look like 10 groups by their names, such as 4 of cat")
    data = load_data(spec, image_size=8, group=f"pattern:{OF_NAMES}")
    assert f"'group=pattern:{OF_NAMES}'" in hint and data.found[-1].startswith("groups: 10 by pattern")


@pytest.mark.parametrize(
    "names",
    [
        [f".{number}.png" for number in range(20)],
        [f"_IMG_{number:04}.png" for number in range(20)],
        [f"_2024_{number:04}.png" for number in range(20)],  # one beginning in each class
        [f"{number * 7919:08x}.png" for number in range(20)],
    ],
)
def test_other_names_get_none(names, tmp_path):
    assert not any("look like" in line for line in load_data(named(tmp_path, names), image_size=8).found)
