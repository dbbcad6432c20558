"""Shots of one thing are found, and sets whose images are alike by nature do not become one group."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from keras_vit.errors import DataWarning
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training import ImageRecipe, load_data, train
from keras_vit.training.data.alike import kept_together
from keras_vit.training.data.near_duplicates import find_pairs, thumbnails_of
from keras_vit.training.recipe_file import load_recipe

SHOTS = 5


def things(count):
    """Patterns of random colours, 72 pixels wide."""
    colors = np.random.default_rng(7).integers(0, 256, (count, 10, 10, 3), "uint8")
    return [np.asarray(Image.fromarray(color).resize((72, 72), Image.Resampling.BICUBIC)) for color in colors]


def shot(thing, rng):
    """A photograph of a thing: another part of it, another brightness, noise, JPEG."""
    top, left = rng.integers(0, 7, 2)
    pixels = thing[top : top + 66, left : left + 66] * rng.uniform(0.85, 1.15)
    pixels = (pixels + rng.normal(0, 5, pixels.shape)).clip(0, 255).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return file.getvalue()


@pytest.fixture(scope="module")
def bursts(tmp_path_factory):
    """Five shots of each of 40 things, in two class folders; names say nothing about the things."""
    folder, rng = tmp_path_factory.mktemp("bursts"), np.random.default_rng(0)
    order, every = rng.permutation(40 * SHOTS), things(40)
    for number, place in enumerate(order):
        thing = int(place) // SHOTS
        path = folder / ("cat", "dog")[thing % 2] / f"{number:03}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(shot(every[thing], rng))
    return folder, order // SHOTS


def thing_of(split, owners):
    return {int(owners[int(name[-7:-4])]) for name in split.names()}


def test_shots_of_one_thing_are_on_one_side_of_every_split_without_being_told(bursts):
    folder, owners = bursts
    data = load_data(f"folder:{folder}", image_size=16)
    sides = [thing_of(split, owners) for split in data.splits.values()]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 40
    assert "near-duplicates: 200 of 200 images in" in " ".join(data.found)
    apart = load_data(f"folder:{folder}", image_size=16, near_duplicates=False)
    assert sum(len(thing_of(split, owners)) for split in apart.splits.values()) > 60
    assert not any("near" in line for line in apart.found)


def test_the_split_depends_neither_on_the_size_of_the_model_nor_on_what_was_kept(bursts, monkeypatch):
    folder, _ = bursts
    names = [load_data(f"folder:{folder}", image_size=size).test.names() for size in (16, 80)]
    monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    names.append(load_data(f"folder:{folder}", image_size=16).test.names())
    assert names[0] == names[1] == names[2]


def test_arrays_are_looked_at_like_files():
    rng = np.random.default_rng(1)
    images = np.stack(
        [np.asarray(Image.open(io.BytesIO(shot(t, rng))).resize((32, 32))) for t in things(60) for _ in "ab"]
    )
    data = load_data((images, np.arange(120) // 2 % 2))
    rows = {image.tobytes(): row // 2 for row, image in enumerate(images)}
    sides = [{rows[image.tobytes()] for image in split.images} for split in data.splits.values()]
    assert len(sides[0] & sides[1]) + len(sides[0] & sides[2]) + len(sides[1] & sides[2]) <= 1


def test_near_duplicates_in_two_given_splits_are_told(tmp_path):
    rng = np.random.default_rng(2)
    for number, thing in enumerate(things(30)):
        split = "train" if number < 20 else "test"
        path = tmp_path / split / ("cat", "dog")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shot(thing, rng))
    for number in range(4):
        (tmp_path / "test" / "cat" / f"again{number}.jpg").write_bytes(shot(things(30)[number], rng))
    with pytest.warns(
        DataWarning, match="4 of 14 test images of .* are near-duplicates of images in its train"
    ):
        load_data(f"folder:{tmp_path}", image_size=16)


@pytest.mark.parametrize("kind", ["digits", "constant", "gradients", "noise", "photographs"])
def test_sets_whose_images_are_alike_by_nature_or_flat_are_no_groups(kind):
    rng = np.random.default_rng(0)
    if kind == "digits":
        images = [np.asarray(Image.fromarray(i.astype("uint8") * 15).resize((64, 64))) for i in
                  load_digits().images[:600]]  # fmt: skip
    elif kind == "constant":
        images = [np.full((64, 64), tone, "uint8") for tone in range(200)]
    elif kind == "gradients":
        slopes = rng.uniform(1, 3, (200, 2))
        images = [(np.add.outer(np.arange(32) * a, np.arange(32) * b)).astype("uint8") for a, b in slopes]
    elif kind == "noise":
        images = list(rng.integers(0, 256, (200, 32, 32), "uint8"))
    else:
        photos = [np.asarray(Image.fromarray(photo).convert("L")) for photo in load_sample_images().images]
        corners = [(top, left) for top in range(0, 350, 70) for left in range(0, 560, 70)]
        images = [photo[top : top + 64, left : left + 64] for top, left in corners for photo in photos]
    thumbnails = thumbnails_of(np.stack(images)[..., np.newaxis])
    assert len(find_pairs(thumbnails, np.arange(len(images), dtype=np.uint64))) <= 0.01 * len(images)


def test_near_duplicates_that_are_most_of_a_class_are_ignored():
    strata, contents = np.repeat([0, 1], [20, 30]), np.arange(50, dtype=np.uint64)
    chain = np.array([(row, row + 1) for row in range(14)] + [(30, 31), (40, 41)])
    groups, ignored = kept_together(chain, strata, contents)
    assert ignored == {0} and np.sort(np.bincount(groups))[-3:].tolist() == [1, 2, 2]


def test_tiny_images_are_not_looked_at_and_keep_their_splits():
    one, other = load_data("digits"), load_data("digits", near_duplicates=False)
    assert one.test.images.tobytes() == other.test.images.tobytes() and one.found == other.found == ()


def test_many_images_are_not_looked_at_and_that_is_said(bursts, monkeypatch):
    for module in ("alike", "encoded"):
        monkeypatch.setattr(f"keras_vit.training.data.{module}.MOST_IMAGES", 100)
    data = load_data(f"folder:{bursts[0]}", image_size=16)
    assert not data.train.images.decoder.thumbnails  # which nobody would read
    assert data.found[-1].startswith("near-duplicates were not looked for, among 200 images")
    asked = load_data(f"folder:{bursts[0]}", image_size=16, near_duplicates=True)
    assert asked.found[-1].startswith("near-duplicates: 200 of 200 images")


@pytest.mark.slow
def test_a_run_of_a_version_without_them_is_resumed_and_evaluated_with_its_splits(bursts, tmp_path):
    recipe = ImageRecipe(
        data=f"folder:{bursts[0]}", image_size=8, model="linear", epochs=1, near_duplicates=False
    )
    before = train(recipe, tmp_path / "run").data.test.names()
    saved = read_json(tmp_path / "run" / "recipe.json", dict)
    for name in ("near_duplicates", "group", "fold"):
        del saved["recipe"][name]
    write_json(tmp_path / "run" / "recipe.json", saved)
    assert load_recipe(tmp_path / "run" / "recipe.json") == recipe
    resumed = train(recipe.replace(near_duplicates=None, epochs=2), tmp_path / "run", resume=True)
    assert resumed.data.test.names() == before and resumed.task.recipe.near_duplicates is False
