import dataclasses
import pickle
import warnings

import pytest

from keras_vit import InputError
from keras_vit.constraints import annotations
from keras_vit.errors import Notice
from keras_vit.io.json_files import write_json
from keras_vit.training import ImageRecipe, TextRecipe
from keras_vit.training.data.sources import _sources
from keras_vit.training.modules import module_names
from keras_vit.training.optimizers import OPTIMIZERS, Optimizer
from keras_vit.training.recipe import Recipe, override
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.recipes import find_recipe


def test_overrides_take_the_fields_own_types():
    recipe = override(
        ImageRecipe(),
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
        ("flip=yes", "flip to be one of False, True, alternating"),
        ("learning_rate=nan", "learning_rate from"),
        ("learning_rate=fast", "learning_rate to be float"),
        ("optimizer=speed", "adamw, muon, convolution_muon, sgd"),
        ("clip_value=5", "clip_norm or clip_value"),
        ("precision=float16", "float32, mixed_bfloat16"),
        ("validation_fraction=0", "validation_fraction from"),
        ("dropout_rate=1.5", "dropout_rate from 0 to 1"),
        ("drop_path_rate=1.5", "drop_path_rate from 0 to below 1"),
        ("schedule=exponential", "set final_learning_rate above"),
    ],
)
def test_wrong_overrides_are_refused_by_name(assignment, message):
    with pytest.raises(InputError, match=message):
        override(ImageRecipe(), [assignment])


@pytest.mark.parametrize(
    ("assignment", "message"), [("unknown=skip", "error, unk"), ("window=1", "window from 2")]
)
def test_wrong_overrides_of_text_are_refused_by_name(assignment, message):
    with pytest.raises(InputError, match=message):
        override(TextRecipe(), [assignment])


@pytest.mark.parametrize("fields", [{"epochs": "3"}, {"flip": 1}, {"epochs": True}, {"variant": 4}])
def test_wrong_types_in_python_are_refused(fields):
    with pytest.raises(InputError, match=next(iter(fields))):
        ImageRecipe(**fields)


@pytest.mark.parametrize("field", ["label_smoothing", "mixup_alpha", "cutmix_alpha"])
def test_the_hinge_loss_is_refused_with_labels_of_several_classes(field):
    fields = {"label_smoothing": 0.0, field: 0.2}
    with pytest.raises(InputError, match=f"received {field}=0.2: set {field}=0"):
        ImageRecipe(loss="hinge", **fields)


def test_a_flip_is_on_off_or_alternating():
    for text, value in (("true", True), ("false", False), ("alternating", "alternating")):
        assert override(ImageRecipe(), [f"flip={text}"]).flip == value
    with pytest.raises(InputError, match="flip to be one of False, True, alternating, received 'always'"):
        override(ImageRecipe(), ["flip=always"])
    recipe = override(ImageRecipe(), ["mixup_alpha=0.2", "augmentation_until=0.8"])
    assert recipe.augmentation_until == 0.8 and "augmentation_until" not in recipe.augmentations.__dict__


def test_a_recipe_survives_its_file(tmp_path):
    recipe = ImageRecipe(variant="Ti/16", flip=True, clip_norm=None)
    write_json(tmp_path / "recipe.json", {"recipe": recipe.as_dict(), "versions": {}})
    assert load_recipe(tmp_path / "recipe.json") == recipe


@pytest.mark.parametrize("document", [[], {}, {"recipe": 3}, {"recipe": {"speed": 1}}])
def test_a_file_that_holds_no_recipe_is_named(tmp_path, document):
    write_json(tmp_path / "recipe.json", document)
    with pytest.raises(InputError, match="recipe.json"):
        load_recipe(tmp_path / "recipe.json")


def test_every_shipped_recipe_is_complete_and_says_how_to_run_it():
    names = module_names("keras_vit.training.recipes")
    assert len(names) >= 5
    for name in names:
        module = find_recipe(name)
        assert isinstance(module.RECIPE, Recipe)
        assert f"keras-vit train {name} " in module.__doc__


def test_an_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="vit_digits"):
        find_recipe("vit_imagenet")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"heads": 4}, "field 'heads'. Did you mean num_heads\\?$"),
        ({"window": 20}, "Recipe field 'window' is for text alone"),
        ({"num_classes": 3}, "Unknown recipe field 'num_classes'"),
        ({"lerning_rate": None}, "Did you mean learning_rate"),
        (
            {"model": "vitt"},
            "Unknown model 'vitt'. Expected one of vit, cnn, resnet, levit, repvit",
        ),
        (
            {"model": "cnn", "patch_size": 4, "stem": "conv"},
            "'cnn' does not accept patch_size, stem: set patch_size=none stem=none. It accepts variant",
        ),
    ],
)
def test_what_a_model_does_not_accept_is_refused_with_what_it_accepts(fields, message):
    with pytest.raises(InputError, match=message):
        ImageRecipe(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"momentum": 0.9}, "optimizer=adamw has no momentum: leave it out, set momentum=0.0, or .*sgd"),
        ({"schedule": "constant", "final_learning_rate": 1e-4}, "constant has no final_learning_rate"),
        ({"schedule": "step", "final_learning_rate": 1e-4}, "or give schedule=cosine or schedule=linear"),
        ({"randaugment_magnitude": 5.0}, "randaugment_layers=0 has no randaugment_magnitude"),
        ({"int8_epochs": 2}, "quantize=none has no int8_epochs: .* or give quantize=int8"),
        ({"int8_items": 64}, "quantize=none has no int8_items: .* or give quantize=int8"),
        ({"image_width": 32}, "image_size=none has no image_width: .* or give image_size"),
        ({"skip_broken": True}, "data=digits has no skip_broken: .* or give data=folder:"),
        (
            {"data": "npz:photos", "split_column": "part"},
            "npz:photos has no split_column: .* or give data=folder:\\* or data=hf:\\* or data=table:\\*",
        ),
        ({"fold": "1/5", "test_fraction": 0.3}, "fold=1/5 has no test_fraction: .* or give fold=none"),
        (
            {"rotary_base": 50.0},
            "position_embedding=learned has no rotary_base: .* position_embedding=rotary",
        ),
        ({"tuning": "lora"}, "pretrained=none has no tuning: .* or give pretrained"),
        ({"pretrained": "a", "tuning": "gradual", "lora_rank": 4}, "tuning=gradual has no lora_rank"),
        ({"pretrained": "a", "tuning": "lora", "unfreeze_every": 4}, "tuning=lora has no unfreeze_every"),
        (
            {"augmentation_until": 0.8},
            "augmentation_until: leave it out, set augmentation_until=1.0, or give trivial_augment or rand",
        ),
    ],
)
def test_a_field_without_effect_is_refused_with_the_fix(fields, message):
    with pytest.raises(InputError, match=message):
        ImageRecipe(**fields)


def test_fields_that_only_the_replaced_value_used_return_to_their_defaults():
    recipe = ImageRecipe(optimizer="sgd", momentum=0.9, randaugment_layers=2, randaugment_magnitude=5.0)
    assert recipe.replace(optimizer="adam", randaugment_layers=0) == ImageRecipe(optimizer="adam")
    assert override(ImageRecipe(test_fraction=0.2), ["fold=1/5"]) == ImageRecipe(fold="1/5")
    tuned = ImageRecipe(pretrained="a", tuning="lora", lora_rank=2)
    assert override(tuned, ["pretrained=none"]) == ImageRecipe()
    with pytest.raises(InputError, match="has no momentum"):
        recipe.replace(optimizer="adam", momentum=0.9)
    turned = ImageRecipe(position_embedding="rotary", rotary_base=50.0, num_layers=2)
    assert turned.replace(position_embedding="learned").model_options == {
        "position_embedding": "learned",
        "num_layers": 2,
    }
    assert turned.used({"position_embedding": "none", "rotary_base": 20.0}) == {"position_embedding": "none"}


def test_another_model_has_its_own_defaults_and_a_notice_says_what_is_left_out():
    recipe = ImageRecipe(variant="Nano/8", stem="conv", pooling="gap", epochs=7)
    with pytest.warns(
        Notice, match="variant=Nano/8, stem=conv, pooling=gap of the recipe are arguments of vit"
    ):
        changed = override(recipe, ["model=resnet"])
    assert changed == ImageRecipe(model="resnet", epochs=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert override(changed, ["model=resnet", "variant=20"]).variant == 20


def test_a_new_argument_of_a_builder_is_a_field_of_recipes(monkeypatch):
    def grown(variant: str | None = None, *, num_rings: int = 3, **others):
        raise NotImplementedError

    monkeypatch.setattr(ImageRecipe, "builders", {**ImageRecipe.builders, "vit": grown})
    assert ImageRecipe(num_rings=2).num_rings == 2
    assert override(ImageRecipe(), ["num_rings=4"]).as_dict()["num_rings"] == 4


def test_what_a_source_of_data_reads_are_fields_of_recipes():
    fields = {name for source in _sources().values() for name in getattr(source, "FIELDS", ())}
    assert "background" in fields and fields <= annotations(ImageRecipe).keys()


def test_the_choices_of_optimizers_are_the_rows_of_their_table():
    assert set(OPTIMIZERS) > {"adamw", "sgd"} and all(
        isinstance(row, Optimizer) for row in OPTIMIZERS.values()
    )
    for name in OPTIMIZERS:
        assert ImageRecipe(optimizer=name).optimizer == name


def test_the_shared_base_of_recipes_is_not_a_recipe():
    with pytest.raises(InputError, match="import ImageRecipe"):
        Recipe(epochs=3)


def test_a_recipe_is_a_value():
    recipe = ImageRecipe(hidden_dim=8)
    assert recipe == ImageRecipe().replace(hidden_dim=8) and hash(recipe) == hash(ImageRecipe(hidden_dim=8))
    assert recipe != ImageRecipe() and pickle.loads(pickle.dumps(recipe)) == recipe
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.epochs = 3
    with pytest.raises(AttributeError, match="no field 'window'"):
        recipe.window  # noqa: B018
