"""The recipe file of a winner."""

import pytest

from keras_vit.training.recipe_file import read_recipe
from keras_vit.training.tuning.plan import plan
from keras_vit.training.tuning.results.winner import write_winner
from keras_vit.training.tuning.state.folder import WinnerFolder
from keras_vit.training.tuning.state.records import TrialRecord


@pytest.fixture
def written(tmp_path):
    """A folder with the recipe of a winner, and a function that writes it again."""
    planned, place = plan("vit_digits", ["epochs=3"], subset=640), WinnerFolder(tmp_path)
    record = TrialRecord("0001", {"num_layers": 2, "tuner/epochs": 1}, 7, "0001", score=0.5)
    write_winner(planned, place, record)
    return place, lambda: write_winner(planned, place, record)


def test_the_winner_is_a_recipe_file_for_all_training_images(written):
    place, _ = written
    recipe = read_recipe(str(place.recipe))
    assert (recipe.num_layers, recipe.epochs, recipe.seed, recipe.subset) == (2, 3, 0, None)
    assert "trial 0001" in place.recipe.read_text()


def test_a_recipe_file_that_exists_is_kept(written):
    place, write_again = written
    place.recipe.write_text(place.recipe.read_text() + "# mine\n")
    write_again()
    assert place.recipe.read_text().endswith("# mine\n")


def test_a_recipe_file_of_version_0_1_0_gets_the_import_of_today(written):
    place, write_again = written
    today = place.recipe.read_text()
    old = today.replace("from keras_vit.training import ImageRecipe", "from training.recipe import Recipe")
    place.recipe.write_text(old.replace("= ImageRecipe(", "= Recipe("))
    write_again()
    assert place.recipe.read_text() == today
