import pytest

from keras_vit import InputError
from keras_vit.io.json_files import write_json
from keras_vit.training import ImageRecipe, TextRecipe
from keras_vit.training.recipe_file import read_recipe, write_recipe
from keras_vit.training.recipes import find_recipe

RECIPE = ImageRecipe(model="cnn", variant="3x3", epochs=3, learning_rate=2.5e-3, label_smoothing=0.0, seed=4)


def test_a_recipe_is_found_by_name_and_in_every_kind_of_file(tmp_path):
    assert read_recipe("vit_digits") == find_recipe("vit_digits").RECIPE
    write_recipe(tmp_path / "mine.py", RECIPE, "A recipe.")
    write_json(tmp_path / "recipe.json", {"recipe": RECIPE.as_dict()})
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


OLD = {"model": "vit", "epochs": 3, "lines": True, "window": None, "hidden_dims": None, "cell": None}
OLD_TEXT = {"model": "char_rnn", "data": "names", "label_smoothing": 0.0, "tuning": "full", "stem": None}


@pytest.mark.parametrize(
    ("fields", "recipe"),
    [
        (OLD, ImageRecipe(epochs=3, near_duplicates=False)),
        ({**OLD, "momentum": 0.9, "skip_broken": True}, ImageRecipe(epochs=3, near_duplicates=False)),
        (OLD_TEXT, TextRecipe()),
        (
            {"fold": "1/5", "test_fraction": 0.2, "model": "vit"},
            ImageRecipe(fold="1/5", near_duplicates=False),
        ),
        ({"model": "vit", "rotary_base": 50.0, "near_duplicates": None}, ImageRecipe()),
    ],
)
def test_a_recipe_of_version_0_1_is_read_without_what_had_no_effect(tmp_path, fields, recipe):
    write_json(tmp_path / "recipe.json", {"recipe": fields})
    assert read_recipe(str(tmp_path)) == recipe


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({**OLD, "window": 20}, "ImageRecipe has no use for: window"),
        ({**OLD_TEXT, "flip": True}, "TextRecipe has no use for: flip"),
        ({"momentum": 0.9}, "has no momentum"),
        ({"model": ["vit"]}, "Expected model to be str"),
    ],
)
def test_a_recipe_file_with_what_its_kind_cannot_have_is_refused(tmp_path, fields, message):
    write_json(tmp_path / "recipe.json", {"recipe": fields})
    with pytest.raises(InputError, match=message):
        read_recipe(str(tmp_path))


def test_a_recipe_that_imports_the_former_package_is_answered_with_the_new_import(tmp_path):
    (tmp_path / "mine.py").write_text("from training.recipe import Recipe\nRECIPE = Recipe()\n")
    with pytest.raises(InputError, match="Write `from keras_vit.training import ImageRecipe`"):
        read_recipe(str(tmp_path / "mine.py"))
