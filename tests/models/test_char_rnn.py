import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.models.char_rnn import char_rnn, is_recurrent, sequence_model, step_model, zero_states

TOKENS = np.random.default_rng(0).integers(0, 11, (3, 9)).astype("int32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    ("cell", "gates", "parameters"),
    # Each gate has a kernel, a recurrent kernel and a bias; Keras's GRU has a second bias.
    [("simple", 1, 0), ("lstm", 4, 0), ("gru", 3, 3 * 16)],
)
@pytest.mark.parametrize("embedding_dim", [None, 5])
def test_parameters_are_those_of_the_equations(cell, gates, parameters, embedding_dim):
    model = char_rnn(cell, vocabulary_size=11, hidden_dim=16, num_layers=2, embedding_dim=embedding_dim)
    width = embedding_dim or 11
    embedding = 11 * width  # one-hot: the identity, which is not trained
    layers = gates * (16 * (width + 16 + 1)) + gates * (16 * (16 + 16 + 1)) + 2 * parameters
    assert model.count_params() == embedding + layers + 16 * 11 + 11
    assert model.output_shape == (None, None, 11)
    assert any(w.shape == (11, width) and "embeddings" in w.path for w in model.trainable_weights) == bool(
        embedding_dim
    )


@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
@pytest.mark.parametrize("embedding_dim", [None, 5])
def test_characters_read_one_by_one_give_the_logits_of_the_whole(cell, embedding_dim, tmp_path):
    model = char_rnn(
        cell, vocabulary_size=11, hidden_dim=8, num_layers=2, embedding_dim=embedding_dim, dropout_rate=0.3
    )
    expected = numpy(model(TOKENS, training=False))
    model.save(tmp_path / "model.keras")
    step = step_model(load_model(tmp_path / "model.keras"))
    states = zero_states(step, 3)
    assert len(states) == (4 if cell == "lstm" else 2)
    for place in range(TOKENS.shape[1]):
        logits, *states = step([keras.ops.array(TOKENS[:, place]), *states], training=False)
        np.testing.assert_allclose(numpy(logits), expected[:, place], atol=1e-5)


@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
def test_a_text_read_in_two_stretches_gives_the_logits_of_the_whole(cell):
    model = char_rnn(cell, vocabulary_size=11, hidden_dim=8, num_layers=2)
    reading = sequence_model(model)
    first, *states = reading([keras.ops.array(TOKENS[:, :4]), *zero_states(reading, 3)])
    second, *_ = reading([keras.ops.array(TOKENS[:, 4:]), *states])
    both = np.concatenate([numpy(first), numpy(second)], axis=1)
    np.testing.assert_allclose(both, numpy(model(TOKENS)), atol=1e-5)


def test_a_logit_does_not_see_what_follows_unless_the_model_reads_both_ways():
    changed = TOKENS.copy()
    changed[:, 5:] = 0
    one_way = char_rnn("gru", vocabulary_size=11, hidden_dim=8)
    np.testing.assert_allclose(numpy(one_way(changed))[:, :5], numpy(one_way(TOKENS))[:, :5], atol=1e-6)
    both_ways = char_rnn("gru", vocabulary_size=11, hidden_dim=8, bidirectional=True)
    assert np.abs(numpy(both_ways(changed))[:, :5] - numpy(both_ways(TOKENS))[:, :5]).max() > 1e-3
    assert is_recurrent(one_way) and not is_recurrent(both_ways)
    with pytest.raises(InputError, match="whole text at once"):
        step_model(both_ways)


def test_bfloat16_is_close_and_its_logits_are_float32():
    plain = char_rnn("gru", vocabulary_size=11, hidden_dim=8, embedding_dim=4)
    mixed = char_rnn("gru", vocabulary_size=11, hidden_dim=8, embedding_dim=4, dtype="mixed_bfloat16")
    mixed.set_weights(plain.get_weights())
    logits = mixed(TOKENS)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    np.testing.assert_allclose(numpy(logits), numpy(plain(TOKENS)), atol=0.03)
    step = step_model(mixed)
    logits, *_ = step([keras.ops.array(TOKENS[:, 0]), *zero_states(step, 3)])
    np.testing.assert_allclose(numpy(logits), numpy(plain(TOKENS))[:, 0], atol=0.03)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cell": "rnn"}, "simple, lstm, gru"),
        ({"hidden_dim": 0}, "hidden_dim from 1 to 65,536, received 0"),
        ({"num_layers": 0}, "num_layers from 1 to 1,000, received 0"),
        ({"embedding_dim": 0}, "embedding_dim from 1 to 65,536, received 0"),
        ({"dropout_rate": 1.5}, "dropout_rate from 0 to 1, received 1.5"),
        ({"dtype": "float31"}, "float31"),
    ],
)
def test_what_cannot_be_built_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        char_rnn(**{"vocabulary_size": 11, **fields})
