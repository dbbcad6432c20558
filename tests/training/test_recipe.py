import dataclasses

import pytest

from keras_vit import InputError
from keras_vit.io.json_files import write_json
from keras_vit.training.recipe import (
    AUGMENTATION_FIELDS,
    IMAGE_FIELDS,
    MODEL_FIELDS,
    TEXT_FIELDS,
    Recipe,
    check_unset,
    load_recipe,
    override,
)
from keras_vit.training.recipes import find_recipe, recipe_names


def test_overrides_take_the_fields_own_types():
    recipe = override(
        Recipe(),
        ["epochs=3", "learning_rate=1e-2", "flip=true", "variant=Nano/4", "clip_norm=none", "qk_norm=True"],
    )
    assert (recipe.epochs, recipe.learning_rate, recipe.flip) == (3, 0.01, True)
    assert (recipe.variant, recipe.clip_norm, recipe.qk_norm) == ("Nano/4", None, True)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("epoch=3", "Unknown recipe field 'epoch'"),
        ("epochs", "field=value"),
        ("epochs=three", "epochs to be int"),
        ("epochs=1.5", "epochs to be int"),
        ("epochs=0", "epochs from 1"),
        ("batch_size=0", "batch_size from 1"),
        ("epochs=none", "epochs to be int"),
        ("flip=yes", "flip to be bool"),
        ("learning_rate=nan", "learning_rate from"),
        ("learning_rate=fast", "learning_rate to be float"),
        ("optimizer=speed", "adamw, muon, sgd"),
        ("unknown=skip", "error, unk"),
        ("window=1", "window from 2"),
        ("clip_value=5", "clip_norm or clip_value"),
        ("precision=float16", "float32, mixed_bfloat16"),
        ("validation_fraction=0", "validation_fraction from"),
        ("dropout_rate=1.5", "dropout_rate from 0 to 1"),
        ("drop_path_rate=1.5", "drop_path_rate from 0 to 0.999"),
    ],
)
def test_wrong_overrides_are_refused_by_name(assignment, message):
    with pytest.raises(InputError, match=message):
        override(Recipe(), [assignment])


@pytest.mark.parametrize("fields", [{"epochs": "3"}, {"flip": 1}, {"epochs": True}, {"variant": 4}])
def test_wrong_types_in_python_are_refused(fields):
    with pytest.raises(InputError, match=next(iter(fields))):
        Recipe(**fields)


@pytest.mark.parametrize("field", ["label_smoothing", "mixup_alpha", "cutmix_alpha"])
def test_the_hinge_loss_is_refused_with_labels_of_several_classes(field):
    fields = {"label_smoothing": 0.0, field: 0.2}
    with pytest.raises(InputError, match=f"received {field}=0.2: set {field}=0"):
        Recipe(loss="hinge", **fields)


def test_a_recipe_survives_its_file(tmp_path):
    recipe = Recipe(variant="Ti/16", flip=True, clip_norm=None)
    write_json(tmp_path / "recipe.json", {"recipe": dataclasses.asdict(recipe), "versions": {}})
    assert load_recipe(tmp_path / "recipe.json") == recipe


@pytest.mark.parametrize("document", [[], {}, {"recipe": 3}, {"recipe": {"speed": 1}}])
def test_a_file_that_holds_no_recipe_is_named(tmp_path, document):
    write_json(tmp_path / "recipe.json", document)
    with pytest.raises(InputError, match="recipe.json"):
        load_recipe(tmp_path / "recipe.json")


def test_every_shipped_recipe_is_complete_and_says_how_to_run_it():
    assert len(recipe_names()) >= 5
    for name in recipe_names():
        module = find_recipe(name)
        assert isinstance(module.RECIPE, Recipe)
        assert f"keras-vit train {name} " in module.__doc__


def test_an_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="vit_digits"):
        find_recipe("vit_imagenet")


def test_the_lists_of_fields_name_fields():
    named = {*MODEL_FIELDS, *AUGMENTATION_FIELDS, *IMAGE_FIELDS, *TEXT_FIELDS}
    assert named < {f.name for f in dataclasses.fields(Recipe)}


def test_a_field_that_a_model_has_no_use_for_is_refused_with_its_way_back():
    check_unset(Recipe(), TEXT_FIELDS)
    with pytest.raises(InputError, match="'vit' has no window, unknown: .* set window=none unknown=error"):
        check_unset(Recipe(window=20, unknown="unk"), TEXT_FIELDS)
