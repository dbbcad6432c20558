import numpy as np
import pytest
import tensorflow as tf

from keras_vit.export.text.sample import sample
from keras_vit.text.sampling import draw, gumbel_noise, next_probabilities


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, 99), (0.5, 3), (1.7, 1), (0.01, 8), (1e-12, 3)])
@pytest.mark.parametrize("excluded", [None, 2])
def test_the_graph_draws_what_numpy_draws_from_the_same_noise(temperature, top_k, excluded):
    logits = np.random.default_rng(1).normal(0, 2, (400, 8)).astype("float32")
    noise = next(gumbel_noise(3, 400, 8))
    expected = draw(next_probabilities(logits, temperature, top_k, excluded=excluded), noise)
    inputs = (np.array([temperature], "float32"), np.array([top_k], "int32"))
    drawn = tf.function(sample)(logits, noise, *inputs, excluded).numpy()
    assert drawn.tolist() == expected.tolist()
    assert excluded not in drawn and len(set(drawn)) > 4
