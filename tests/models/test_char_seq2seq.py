import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.models import char_rnn, char_seq2seq, seq2seq_attention, seq2seq_encoder, seq2seq_step
from keras_vit.models.char_seq2seq import is_seq2seq

RANDOM = np.random.default_rng(0)
SOURCE = RANDOM.integers(1, 11, (3, 7)).astype("int32")
SOURCE[0, 4:] = SOURCE[1, 1:] = 0  # filled up
TARGET = RANDOM.integers(0, 11, (3, 5)).astype("int32")
SIZES = {"vocabulary_size": 11, "hidden_dim": 8, "embedding_dim": 6}


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def stepped(model, source, target):
    """The logits of a target that is read one character at a time."""
    memory, mask, *states = seq2seq_encoder(model)(source)
    step, found = seq2seq_step(model), []
    for column in target.T:
        logits, *states = step([keras.ops.array(column), memory, mask, *states])
        found.append(numpy(logits))
    return np.stack(found, axis=1)


def moved(model):
    """The model with weights whose logits differ much."""
    model.set_weights([w + RANDOM.normal(0, 0.4, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(("cell", "gates", "biases"), [("simple", 1, 1), ("lstm", 4, 1), ("gru", 3, 2)])
@pytest.mark.parametrize(("attention", "factors"), [("additive", 8), ("dot", 1)])
def test_parameters_are_those_of_the_equations(cell, gates, biases, attention, factors):
    model = char_seq2seq(cell, attention=attention, **SIZES)
    layer = gates * 8 * (6 + 8 + biases)  # each gate: a kernel, a recurrent kernel, Keras's GRU two biases
    states = 2 if cell == "lstm" else 1
    memory, query, combination = 16 * 8 + 8, 8 * 8, 16 * 8 + 8
    embeddings, head = 2 * 11 * 6, 8 * 11 + 11
    expected = embeddings + 3 * layer + states * (16 * 8 + 8) + memory + query + factors + combination + head
    assert model.count_params() == expected
    assert model.output_shape == (None, None, 11)


@pytest.mark.parametrize("attention", ["additive", "dot"])
@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
def test_a_saved_model_writes_one_by_one_what_it_reads_at_once(cell, attention, tmp_path):
    model = moved(char_seq2seq(cell, attention=attention, dropout_rate=0.3, **SIZES))
    expected = numpy(model([SOURCE, TARGET], training=False))
    assert np.ptp(expected) > 1
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert is_seq2seq(loaded) and not is_seq2seq(char_rnn(vocabulary_size=11))
    np.testing.assert_allclose(numpy(loaded([SOURCE, TARGET])), expected, atol=1e-6)
    np.testing.assert_allclose(stepped(loaded, SOURCE, TARGET), expected, atol=1e-5)


def test_what_fills_up_a_source_changes_nothing():
    model = moved(char_seq2seq(**SIZES))
    longer = np.pad(SOURCE, ((0, 0), (0, 4)))
    expected = numpy(model([SOURCE, TARGET]))
    np.testing.assert_allclose(numpy(model([longer, TARGET])), expected, atol=1e-5)
    shares = numpy(seq2seq_attention(model)([longer, TARGET]))
    assert shares.shape == (3, 5, 11) and (shares[0, :, 4:] == 0).all() and (shares[1, :, 1:] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=2), 1, atol=1e-6)


def test_a_logit_depends_on_the_whole_source_and_on_the_target_up_to_its_place():
    model = moved(char_seq2seq(**SIZES))
    expected, other, after = numpy(model([SOURCE, TARGET])), SOURCE.copy(), TARGET.copy()
    after[:, 3:] = (after[:, 3:] + 1) % 11
    np.testing.assert_allclose(numpy(model([SOURCE, after]))[:, :3], expected[:, :3], atol=1e-6)
    assert np.abs(numpy(model([SOURCE, after]))[:, 3:] - expected[:, 3:]).max() > 0.1
    other[2, -1] = other[2, -1] % 10 + 1
    changed = np.abs(numpy(model([other, TARGET])) - expected).max(axis=(1, 2))
    assert changed[2] > 1e-3 and (changed[:2] < 1e-6).all()


def test_the_context_is_the_mean_of_the_memory_by_bahdanaus_scores():
    model = moved(char_seq2seq(attention="additive", **SIZES))
    memory, mask, state = map(numpy, seq2seq_encoder(model)(SOURCE))
    layers = {layer.name: layer for layer in model.layers}
    embedded = layers["target_embedding"](TARGET[:, :1])
    state = numpy(layers["decoder"](embedded, initial_state=[keras.ops.array(state)])[1])
    query = state @ numpy(layers["query"].kernel)
    scores = (numpy(layers["attention"].scale) * np.tanh(query[:, None] + memory)).sum(axis=2)
    scores = np.where(mask == 1, scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(numpy(seq2seq_attention(model)([SOURCE, TARGET]))[:, 0], shares, atol=1e-5)
    found = np.concatenate([state, np.einsum("bs,bsh->bh", shares, memory)], axis=1)
    expected = numpy(layers["head"](layers["combination"](found)))
    np.testing.assert_allclose(numpy(model([SOURCE, TARGET]))[:, 0], expected, atol=1e-5)


def test_bfloat16_is_close_and_its_logits_are_float32():
    plain = char_seq2seq(**SIZES)
    mixed = char_seq2seq(dtype="mixed_bfloat16", **SIZES)
    mixed.set_weights(plain.get_weights())
    logits = mixed([SOURCE, TARGET])
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    np.testing.assert_allclose(numpy(logits), numpy(plain([SOURCE, TARGET])), atol=0.03)
    np.testing.assert_allclose(stepped(mixed, SOURCE, TARGET), numpy(logits), atol=0.03)


def test_other_models_and_arguments_are_refused():
    for part in (seq2seq_encoder, seq2seq_step, seq2seq_attention):
        with pytest.raises(InputError, match="Expected a char_seq2seq, received 'gru_128'"):
            part(char_rnn(vocabulary_size=11))
    with pytest.raises(InputError, match="additive, dot"):
        char_seq2seq(attention="both", **SIZES)
    with pytest.raises(InputError, match="simple, lstm, gru"):
        char_seq2seq("rnn", **SIZES)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_gives_the_logits_of_a_saved_model(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    model = moved(char_seq2seq("lstm", **SIZES))
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "x.npz", source=SOURCE, target=TARGET)
    program = (
        "import sys, keras, numpy as np\n"
        "import keras_vit\n"
        "model, x = keras.saving.load_model('model.keras'), np.load('x.npz')\n"
        "model.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "np.save('logits.npy', model.predict([x['source'], x['target']], verbose=0))\n"
        "model.fit([x['source'], x['target']], x['target'], verbose=0)\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True)
    expected = numpy(model([SOURCE, TARGET]))
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-5)
