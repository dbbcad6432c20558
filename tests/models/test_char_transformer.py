import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.models.char_transformer import char_transformer

TOKENS = np.random.default_rng(0).integers(0, 11, (3, 8)).astype("int32")
SIZES = {"vocabulary_size": 11, "length": 8, "hidden_dim": 16, "num_layers": 2, "num_heads": 2}


def logits(model, tokens):
    return keras.ops.convert_to_numpy(model(tokens, training=False))


def test_a_logit_sees_the_characters_up_to_its_place_and_none_after():
    model = char_transformer(**SIZES)
    expected = logits(model, TOKENS)
    for place in range(7):
        changed = TOKENS.copy()
        changed[:, place + 1 :] = (changed[:, place + 1 :] + 1) % 11
        np.testing.assert_allclose(
            logits(model, changed)[:, : place + 1], expected[:, : place + 1], atol=1e-5
        )
        earlier = TOKENS.copy()
        earlier[:, place] = (earlier[:, place] + 1) % 11
        assert np.abs(logits(model, earlier)[:, -1] - expected[:, -1]).max() > 1e-5


def test_parameters_are_those_of_the_blocks_and_a_saved_model_answers_alike(tmp_path):
    model = char_transformer(**SIZES)
    block = 16 * 48 + 48 + 16 * 16 + 16 + 2 * 16 * 64 + 64 + 16 + 4 * 16
    assert model.count_params() == 11 * 16 + 8 * 16 + 2 * block + 2 * 16 + 16 * 11 + 11
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(load_model(tmp_path / "model.keras"), TOKENS), logits(model, TOKENS))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_heads": 3}, "num_heads must divide"),
        ({"num_layers": 0}, "num_layers"),
        ({"length": 0}, "length of at least 1, received 0"),
        ({"activation": "sine"}, "sine"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        char_transformer(**{**SIZES, **fields})
