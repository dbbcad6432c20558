import dataclasses

import pytest

from keras_vit import InputError
from keras_vit.io.json_files import write_json
from keras_vit.training.recipe import Recipe
from keras_vit.training.recipe_file import read_recipe, write_recipe
from keras_vit.training.recipes import find_recipe

RECIPE = Recipe(model="cnn", variant="3x3", epochs=3, learning_rate=2.5e-3, label_smoothing=0.0, seed=4)


def test_a_recipe_is_found_by_name_and_in_every_kind_of_file(tmp_path):
    assert read_recipe("vit_digits") == find_recipe("vit_digits").RECIPE
    write_recipe(tmp_path / "mine.py", RECIPE, "A recipe.")
    write_json(tmp_path / "recipe.json", {"recipe": dataclasses.asdict(RECIPE)})
    for place in ("mine.py", "recipe.json", ""):
        assert read_recipe(str(tmp_path / place)) == RECIPE
    text = (tmp_path / "mine.py").read_text()
    assert text.startswith('"""A recipe.\n"""\n') and "learning_rate=0.0025,\n" in text
    assert "weight_decay" not in text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RECIPE = 3", "received 3"),
        ("x =", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("", "received None"),
    ],
)
def test_a_file_without_a_recipe_is_refused(tmp_path, code, message):
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(InputError, match=message):
        read_recipe(str(tmp_path / "mine.py"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="found none"):
        read_recipe(str(tmp_path / "mine.py"))
    with pytest.raises(InputError, match="Unknown recipe"):
        read_recipe("mine")
