import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.models.rollout import attention_rollout


def random_scores(num_blocks=3, batch=2, num_heads=4, tokens=6):
    rng = np.random.default_rng(0)
    scores = rng.random((num_blocks, batch, num_heads, tokens, tokens)).astype("float32")
    return list(scores / scores.sum(axis=-1, keepdims=True))


def slow_rollout(scores, image):
    """The paper's equation, one number at a time."""
    tokens = scores[0].shape[-1]
    result = [[float(i == j) for j in range(tokens)] for i in range(tokens)]
    for block in scores:
        heads = block[image]
        mixed = [[0.0] * tokens for _ in range(tokens)]
        for i in range(tokens):
            for j in range(tokens):
                mixed[i][j] = 0.5 * float(sum(head[i][j] for head in heads)) / len(heads) + 0.5 * (i == j)
            total = sum(mixed[i])
            mixed[i] = [value / total for value in mixed[i]]
        result = [
            [sum(mixed[i][k] * result[k][j] for k in range(tokens)) for j in range(tokens)]
            for i in range(tokens)
        ]
    return np.array(result)


def test_rollout_of_a_class_token_agrees_with_a_slow_loop():
    scores = random_scores()
    rollout = attention_rollout(scores, num_prefix_tokens=2)
    assert rollout.shape == (2, 4)
    for image in range(2):
        np.testing.assert_allclose(rollout[image], slow_rollout(scores, image)[0, 2:], rtol=1e-5)


def test_rollout_without_a_class_token_is_the_mean_over_all_tokens():
    scores = random_scores()
    rollout = attention_rollout(scores, num_prefix_tokens=0)
    for image in range(2):
        np.testing.assert_allclose(rollout[image], slow_rollout(scores, image).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(rollout.sum(axis=1), 1, rtol=1e-5)


def test_registers_are_left_out_of_the_mean():
    scores = random_scores()
    rollout = attention_rollout(scores, num_prefix_tokens=2, start="mean")
    np.testing.assert_allclose(rollout[1], slow_rollout(scores, 1)[2:, 2:].mean(axis=0), rtol=1e-5)


def test_the_last_block_is_the_outermost():
    identity = np.eye(3)[None, None]
    swap = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], float)[None, None]
    first_then_none = attention_rollout([swap, identity], num_prefix_tokens=1)
    assert first_then_none.tolist() == [[0.5, 0]]
    both = attention_rollout([swap, swap], num_prefix_tokens=1)
    assert both.tolist() == [[0.5, 0.25]]


def test_a_model_without_attention_is_refused():
    with pytest.raises(InputError, match="at least one block"):
        attention_rollout([], num_prefix_tokens=0)
