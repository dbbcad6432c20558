"""What the data decide of what a recipe leaves open is recorded with the run."""

import numpy as np
import pytest

from keras_vit.io.json_files import read_json
from keras_vit.training import ImageRecipe, load_data
from keras_vit.training.fit import fit


def images_of(size):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (40, size, size, 1)).astype("uint8"), np.arange(40, dtype="int32") % 2


@pytest.mark.parametrize(
    ("size", "given", "decided"), [(32, None, True), (32, False, False), (8, None, False), (8, True, False)]
)
def test_data_know_whether_near_duplicates_stay_together(size, given, decided):
    assert load_data(images_of(size), near_duplicates=given).near_duplicates is decided


def test_a_run_records_what_was_decided(tmp_path):
    recipe = ImageRecipe(data="mine", model="linear", epochs=1, batch_size=8)
    fit(recipe, tmp_path / "run", data=images_of(32))
    found = read_json(tmp_path / "run" / "recipe.json")
    assert found["recipe"]["near_duplicates"] is None and found["recipe"]["monitor"] is None
    assert found["decided"] == {"label_kind": "class", "near_duplicates": True, "monitor": "accuracy"}
