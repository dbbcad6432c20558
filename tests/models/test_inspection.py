import keras
import numpy as np

from keras_vit.models import attention_scores, num_prefix_tokens, vit

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")


def test_each_block_gives_scores_that_sum_to_one():
    model = vit("Pico/2", num_layers=3, num_registers=2)
    scores = attention_scores(model, IMAGES)
    assert [s.shape for s in scores] == [(2, 4, 19, 19)] * 3
    np.testing.assert_allclose(scores[-1].sum(axis=-1), 1, atol=1e-5)
    assert num_prefix_tokens(model) == 3


def test_a_model_without_attention_has_no_scores():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    assert attention_scores(model, IMAGES) == []
    assert num_prefix_tokens(model) == 0
