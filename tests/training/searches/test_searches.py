"""Samples recipes of each search and builds their models for images of the right size."""

from types import SimpleNamespace

import pytest

from keras_vit.errors import InputError
from keras_vit.training.optimizers import build_optimizer
from keras_vit.training.searches import find_search, read_search, search_names
from keras_vit.training.tasks import task_of
from keras_vit.training.tuning.space.space import build_space
from keras_vit.training.tuning.state.oracles import build_oracle

IMAGES = {"digits": (8, 8, 1), "tfds:mnist": (28, 28, 1), "tfds:cifar10": (32, 32, 3)}


def data_of(task):
    if task.recipe.data == "folder:photos":
        return SimpleNamespace(image_shape=(task.recipe.image_size, task.recipe.image_size, 3), num_classes=4)
    if task.recipe.data in IMAGES:
        return SimpleNamespace(image_shape=IMAGES[task.recipe.data], num_classes=10)
    return task.load_data()


def sampled(name, number):
    space = build_space(find_search(name).SEARCH)
    oracle = build_oracle("random", space, ("val_loss", "min"), trials=number, seed=0)
    values = [oracle.create_trial(f"{index}").hyperparameters.values for index in range(number)]
    return [space.recipe, *(space.recipe_of(each, seed=0) for each in values)]


@pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
@pytest.mark.parametrize("number", [1, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", search_names())
def test_every_recipe_of_a_search_is_one_that_builds(name, number):
    recipes = sampled(name, number)
    assert len(set(recipes)) == 1 + number
    for recipe in recipes:
        task = task_of(recipe)
        model = task.build_model(data_of(task))
        assert model.count_params() > 0
        build_optimizer(recipe, model, 100)


@pytest.mark.parametrize("name", search_names())
def test_a_search_names_its_command(name):
    assert f"\nkeras-vit tune {name} " in find_search(name).__doc__


def test_a_recipe_is_searched_over_the_fields_that_are_varied():
    name, search = read_search("levit_cifar10")
    space = build_space(search, ["learning_rate=0.001:0.01", "epochs=2"])
    assert (name, list(space.description()), space.recipe.epochs) == ("levit_cifar10", ["learning_rate"], 2)
    with pytest.raises(InputError, match="Nothing is left to search"):
        build_space(search, ["epochs=2"])
