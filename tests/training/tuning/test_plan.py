"""What is decided before a search starts."""

import numpy as np
import pytest
from builders_of_tests import build, train

from keras_vit.errors import DataWarning, Notice
from keras_vit.export.footprint import classifier_footprint, footprint
from keras_vit.training.tuning.costs import Limits
from keras_vit.training.tuning.plan import plan, plan_builder


@pytest.mark.parametrize(
    ("options", "of_recipes", "of_builders"),
    [
        ({}, None, None),
        ({"limits": Limits(max_params=9)}, None, None),
        ({"limits": Limits(max_size_mb=9)}, classifier_footprint, footprint),
        ({"limits": Limits(max_latency_ms=9)}, classifier_footprint, footprint),
        ({"limits": Limits(max_flops=9)}, classifier_footprint, footprint),
        ({"measure": True}, classifier_footprint, footprint),
        ({"measure": train, "limits": Limits(max_size_mb=9)}, train, train),
    ],
)
def test_models_are_measured_where_a_limit_or_the_user_asks_for_it(options, of_recipes, of_builders):
    assert plan("vit_digits", **options).measure is of_recipes
    assert plan_builder(build, train, **options).measure is of_builders


def test_text_models_are_never_measured():
    assert plan("char_names", measure=True).measure is None


NUMBERS = np.random.default_rng(0).uniform(0, 9, 60).astype("float32")
SHARES = np.stack([NUMBERS / 9, 1 - NUMBERS / 9], axis=1)


@pytest.mark.parametrize("labels", [NUMBERS, SHARES, np.where(NUMBERS[:, None] > (2, 6), 1, 0)])
def test_what_the_labels_have_no_use_for_is_not_searched(labels, tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (60, 8, 8, 1)).astype("uint8")
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    data = f"data=npz:{tmp_path / 'data.npz'}"
    with pytest.warns(DataWarning, match="Not searched, since .* no use for it: label_smoothing"):
        planned = plan("vit_digits", [data])
    assert "label_smoothing" not in planned.space.description()
    assert "learning_rate" in planned.space.description()
    assert planned.space.recipe.label_smoothing == 0


def test_what_another_model_does_not_get_is_said_once():
    with pytest.warns(Notice) as said:
        planned = plan("vit_digits", ["model=linear"])
    (line,) = [str(warning.message) for warning in said if "own defaults" in str(warning.message)]
    assert line.startswith("model=linear with its own defaults: ") and "hidden_dim" in line
    assert line.endswith(" of the search are arguments of vit and left out, not varied.")
    assert planned.space.recipe.model == "linear"


def test_a_search_has_the_lines_on_its_data_that_a_training_prints():
    found = plan("vit_digits", ["subset=640"]).found
    assert any("640" in line and "train" in line for line in found)


def test_classes_are_searched_with_their_fields():
    assert "label_smoothing" in plan("vit_digits").space.description()
