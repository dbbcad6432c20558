import dataclasses

import pytest

from keras_vit import InputError
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.searches import find_search
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.space.space import build_space


def space(hp):
    hp.Choice("patch_size", [2, 4], divides=8)
    hp.Choice("hidden_dim", [16, 24, 32])
    hp.Choice("num_heads", [1, 2, 3, 8], divides="hidden_dim")
    hp.Int("num_layers", 1, 4)
    hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    hp.Choice("randaugment_layers", [0, 1])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(ImageRecipe(patch_size=4, num_layers=3, hidden_dim=24, learning_rate=3e-3), space)


def test_heads_divide_every_hidden_size_and_patches_the_image():
    description = build_space(SEARCH).description()
    assert description["num_heads"] == "1, 2, 8"
    assert build_space(SEARCH, ["hidden_dim=24,48"]).description()["num_heads"] == "1, 2, 3, 8"
    with pytest.raises(InputError, match="No num_heads of 5 divides hidden_dim 16, 24, 32"):
        build_space(SEARCH, ["num_heads=5"])
    with pytest.raises(InputError, match="No patch_size of 3 divides 8"):
        build_space(SEARCH, ["patch_size=3"])


def test_overrides_restrict_fix_and_add_fields():
    restricted = build_space(
        SEARCH,
        [
            "hidden_dim=16:24",
            "num_layers=2:3",
            "patch_size=2",
            "batch_size=32,64",
            "precision=mixed_bfloat16",
        ],
    )
    description = restricted.description()
    assert description["hidden_dim"] == "16, 24" and description["num_layers"] == "2 to 3"
    assert description["batch_size"] == "32, 64"
    assert description["learning_rate"] == "0.0001 to 0.01, logarithmic"
    assert "patch_size" not in description and "precision" not in description
    assert restricted.recipe.patch_size == 2 and restricted.recipe.precision == "mixed_bfloat16"


@pytest.mark.parametrize(
    "fields",
    [
        {"label_column": "red,big", "weight_column": "a,b", "group": r"pattern:(\d{1,3}):"},
        {"class_weight": "cat:2,dog:3", "monitor": "recall:cat, small"},
        {"sixteen_bit": "0:4095"},
    ],
)
def test_columns_groups_and_classes_are_no_alternatives(fields):
    data = {} if "class_weight" in fields else {"data": "table:a.csv"}
    fields = {**data, **fields}
    found = build_space(SEARCH, [f"{name}={value}" for name, value in fields.items()])
    assert {name: getattr(found.recipe, name) for name in fields} == fields


def test_a_field_that_depends_on_a_fixed_one_varies_only_where_it_has_an_effect():
    assert "randaugment_magnitude" not in build_space(SEARCH, ["randaugment_layers=0"]).description()
    assert build_space(SEARCH, ["randaugment_layers=1"]).description()["randaugment_magnitude"] == "1 to 9"
    assert (
        build_space(SEARCH).description()["randaugment_magnitude"] == "1 to 9 where randaugment_layers is 1"
    )


OWN = """
import keras


def build(image_size, channels, num_classes, width: int, num_heads: int = 2, hidden_dim: int = 5):
    return keras.Sequential([keras.Input((*image_size, channels)), keras.layers.Flatten()])
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "my_cnn.py").write_text(OWN)
    return f"{tmp_path / 'my_cnn.py'}:build"


def test_another_model_varies_nothing_of_the_searchs_own_but_what_the_user_names(own):
    found = build_space(SEARCH, [f"model={own}", "width=8,16", "num_heads=3,4"])
    assert list(found.description()) == [
        "num_heads",
        "learning_rate",
        "randaugment_layers",
        "randaugment_magnitude",
        "width",
    ]
    assert found.left_out == ("patch_size", "num_layers", "hidden_dim")
    assert found.recipe.hidden_dim is None and found.description()["num_heads"] == "3, 4"
    assert found.first_work().recipe.width == 8
    assert build_space(SEARCH).left_out == build_space(SEARCH, ["model=vit"]).left_out == ()


@pytest.mark.parametrize(
    ("name", "field"),
    [("vit_photos", "patch_size"), ("resnet_cifar10", "variant"), ("cnn_mnist", "variant")],
)
def test_searches_of_the_package_take_another_model(name, field, own):
    search = find_search(name).SEARCH
    found = build_space(search, [f"model={own}", "width=8,16"])
    assert field in found.left_out and not set(found.left_out) & set(found.description())
    assert {"width", "learning_rate"} <= set(found.description())
    with pytest.raises(InputError, match=f"does not accept {field}"):
        build_space(search, [f"model={own}", "width=8,16", f"{field}={getattr(search.recipe, field)}"])


def test_a_fixed_argument_of_the_model_is_left_out_where_it_has_no_effect():
    found = build_space(SEARCH, ["position_embedding=learned,rotary", "rotary_base=50.0"])
    assert found.description()["position_embedding"] == "learned, rotary"
    assert found.recipe_of({"position_embedding": "rotary"}).rotary_base == 50.0
    assert found.recipe_of({"position_embedding": "learned"}).rotary_base is None
    with pytest.raises(InputError, match="position_embedding=learned has no rotary_base"):
        build_space(SEARCH, ["hidden_dim=16,24", "rotary_base=50.0"])


def test_a_choice_that_depends_on_another_field_is_fixed_only_where_it_can_be():
    search = find_search("vit_mnist").SEARCH
    assert build_space(search, ["stem=conv", "patch_size=4"]).recipe.stem == "conv"
    assert "stem" not in build_space(search, ["stem=linear"]).description()
    with pytest.raises(InputError, match="stem=conv is possible only where patch_size is 4, not 7 or 14"):
        build_space(search, ["stem=conv"])
    with pytest.raises(InputError, match="only where patch_size is something else, not 7 or 14"):
        build_space(search, ["stem=conv", "patch_size=7,14"])
    fixed = build_space(SEARCH, ["randaugment_magnitude=5"])
    assert fixed.recipe_of({"randaugment_layers": 1}).randaugment_magnitude == 5
    assert fixed.recipe_of({"randaugment_layers": 0}).randaugment_magnitude == 9
    with pytest.raises(InputError, match="optimizer=adamw has no momentum"):
        build_space(SEARCH, ["momentum=0.9"])


def test_defaults_are_those_of_the_recipe_where_they_are_possible():
    values = build_space(SEARCH, ["num_layers=1:2"]).hyperparameters.values
    assert values["patch_size"] == 4 and values["learning_rate"] == 3e-3
    assert values["num_layers"] == 1


def test_booleans_stay_booleans():
    space = build_space(SEARCH, ["qk_norm=true,false"])
    assert space.description()["qk_norm"] == "True, False"
    assert space.recipe_of(space.hyperparameters.values).qk_norm is False
    assert build_space(SEARCH, ["qk_norm=true"]).recipe.qk_norm is True


def test_the_recipe_of_a_trial_is_the_base_with_its_values():
    made = build_space(SEARCH).recipe_of({"num_layers": 2, "tuner/epochs": 3}, seed=7)
    assert made == dataclasses.replace(SEARCH.recipe, num_layers=2, seed=7)


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["depth=3"], "Unknown recipe field 'depth'"),
        (["num_layers"], "field=value"),
        (["num_layers=3:1"], "LOW below HIGH"),
        (["learning_rate=nan:1"], "LOW below HIGH"),
        (["learning_rate=0.1:inf"], "LOW below HIGH"),
        (["num_layers=two"], "num_layers"),
        (["hidden_dim=17:20"], "none is from 17 to 20"),
        (["learning_rate=-1:1"], "above 0"),
        (["stem=conv,none"], "fixed"),
        (["flip=true,alternating"], "mixes true or false with other values"),
        (["seed=1"], "has its own seed"),
        (["subset=100,200"], "not searched"),
        ([f"{f}=1" for f in ("patch_size", "hidden_dim", "num_heads", "num_layers", "learning_rate")]
         + ["randaugment_layers=0"], "Nothing is left"),
    ],
)  # fmt: skip
def test_impossible_overrides_are_refused(assignments, message):
    with pytest.raises(InputError, match=message):
        build_space(SEARCH, assignments)


@pytest.mark.parametrize(
    ("layers", "magnitude"),
    [("0,3", "1 to 9 where randaugment_layers is 3"), ("3", "1 to 9"), ("0", None)],
)
def test_a_condition_also_applies_to_values_that_the_user_names(layers, magnitude):
    description = build_space(SEARCH, [f"randaugment_layers={layers}"]).description()
    assert description.get("randaugment_magnitude") == magnitude


@pytest.mark.parametrize(
    "declare",
    [
        lambda hp: hp.Choice("depth", [1, 2]),
        lambda hp: hp.Choice("batch_norm", [True, False]),
        lambda hp: hp.Int("depth", 1, 2),
    ],
)
def test_a_search_that_varies_an_unknown_field_is_refused(declare):
    with pytest.raises(InputError, match=r"'vit' does not accept \w+: .* Expected one of .*num_layers"):
        build_space(Search(SEARCH.recipe, declare))
