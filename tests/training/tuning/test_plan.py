"""What is decided before a search starts."""

import pytest
from builders_of_tests import build, train

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
