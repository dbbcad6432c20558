import inspect
from typing import Annotated

import numpy as np
import pytest

from keras_vit import InputError, models, pretrained
from keras_vit.constraints import Range, check_value, parameters

BUILDERS = ("vit", "cnn", "resnet", "levit", "repvit", "mlp", "linear", "char_rnn", "char_transformer")


@pytest.mark.parametrize("name", BUILDERS)
def test_every_argument_of_a_builder_has_an_annotation_that_its_default_fits(name):
    builder = getattr(models, name)
    arguments = parameters(builder)
    assert {"seed", "dtype", "name"} <= set(arguments)
    for argument, parameter in inspect.signature(builder).parameters.items():
        if parameter.default is not parameter.empty:
            check_value(argument, parameter.default, arguments[argument])


def test_the_options_of_the_blocks_are_arguments_of_the_transformers():
    for builder in (models.vit, models.char_transformer):
        arguments = parameters(builder)
        assert arguments["dropout_rate"] == Annotated[float, Range(0, 1)]
        assert "causal" not in arguments and "rotary" not in arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": "10"}, r"num_classes to be int, received '10' \(str\)"),
        ({"num_head": 3}, "did you mean 'num_heads'"),
        ({"layer_scale": float("nan")}, "layer_scale from .* received nan"),
        ({"dropout_rate": True}, "dropout_rate to be float, received True"),
    ],
)
def test_an_unfit_argument_is_named_in_one_error(arguments, message):
    with pytest.raises(InputError, match=message):
        models.vit("Pico/2", **arguments)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: models.with_image_size(model, 16),
        lambda model: models.attention_scores(model, None),
        lambda model: models.attention_maps(model, None),
        models.num_prefix_tokens,
        models.step_model,
        lambda model: pretrained.features(model, [0]),
        pretrained.patch_features,
        lambda model: pretrained.save(model, "folder"),
    ],
)
def test_what_needs_a_model_names_what_it_received_instead(use):
    with pytest.raises(InputError, match=r"Expected model to be keras.Model, received 'runs/digits' \(str\)"):
        use("runs/digits")


def test_a_rollout_starts_at_a_token_or_at_the_mean():
    with pytest.raises(InputError, match="start to be one of token, mean, received 'class'"):
        models.attention_rollout([np.full((1, 1, 2, 2), 0.5)], 1, start="class")
