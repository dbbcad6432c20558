import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.export.model.precision import in_float32
from keras_vit.export.text.form import text_form
from keras_vit.models.char_rnn import char_rnn
from keras_vit.text.readers import reader_of

KINDS = ("gru", "lstm", "simple", "bfloat16", "transformer")


def zeros(form, batch):
    return [tf.zeros((batch, *spec.shape), spec.dtype) for spec in form.states]


@pytest.mark.parametrize("on_phone", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_score_gives_the_logits_of_the_model_in_float32(kind, on_phone, build, windows):
    model = build(kind)
    rows = windows.inputs[:1] if on_phone else windows.inputs
    expected = in_float32(model).predict(rows, verbose=0)
    logits = tf.function(text_form(model, on_phone).score)(tf.constant(rows))
    assert np.ptp(expected) > 2
    np.testing.assert_allclose(logits, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_step_reads_character_by_character_what_score_reads_at_once(kind, build, windows):
    form = text_form(build(kind), on_phone=False)
    expected, states = form.score(tf.constant(windows.inputs)), zeros(form, len(windows))
    for place, column in enumerate(windows.inputs.T):
        logits, states = form.step(tf.constant(column), states)
        np.testing.assert_allclose(logits, expected[:, place], atol=1e-5)


def test_a_transformer_steps_on_beyond_its_window_as_in_keras(build):
    model = build("transformer")
    form, reader = text_form(model, on_phone=True), reader_of(model)
    states = zeros(form, 1)
    reader.begin(1)
    for token in (0, 3, 1, 4, 1, 5, 2, 6, 5, 3, 5):
        logits, states = form.step(tf.constant([token]), states)
        np.testing.assert_allclose(logits, reader.read(np.array([token], "int32")), atol=1e-5)


def test_models_of_another_kind_are_refused(build):
    both_ways = char_rnn("gru", vocabulary_size=8, hidden_dim=4, bidirectional=True)
    with pytest.raises(InputError, match="bidirectional=false"):
        text_form(both_ways, on_phone=True)
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(8, 4)(tokens)
    odd, _ = keras.layers.GRU(4, activation="relu", return_sequences=True, return_state=True)(x)
    with pytest.raises(InputError, match="usual activations"):
        text_form(keras.Model(tokens, keras.layers.Dense(8)(odd)), on_phone=True)
    other = keras.layers.Dense(8)(keras.layers.GRU(4, return_sequences=True)(x))
    with pytest.raises(InputError, match="Expected a window of a fixed number of characters"):
        text_form(keras.Model(tokens, other), on_phone=True)
    with pytest.raises(InputError, match="from characters to logits"):
        text_form(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]), on_phone=True)
