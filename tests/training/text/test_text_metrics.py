import math
import tracemalloc

import keras
import numpy as np
import pytest

from keras_vit.models.char_rnn import char_rnn
from keras_vit.models.char_transformer import char_transformer
from keras_vit.text.vocabulary import build_vocabulary
from keras_vit.text.windows import line_windows
from keras_vit.training.text.corpus import TextData
from keras_vit.training.text.text_metrics import bigram_losses, bigram_probabilities, text_metrics

VOCABULARY = build_vocabulary(["abc"])


def lines(*test):
    return TextData("lines", VOCABULARY, 5, True, ("ab", "ab", "cab"), ("ab",), test)


def test_the_bigram_model_counts_pairs_and_adds_one():
    probabilities = bigram_probabilities(line_windows(["ab", "cab"], VOCABULARY, 5), 4)
    np.testing.assert_allclose(probabilities[0], [1 / 6, 2 / 6, 1 / 6, 2 / 6])  # a and c begin a line
    np.testing.assert_allclose(probabilities[1], [1 / 6, 1 / 6, 3 / 6, 1 / 6])
    losses = bigram_losses(probabilities, line_windows(["a"], VOCABULARY, 5))
    np.testing.assert_allclose(losses, [math.log(3), math.log(6)])


def test_a_model_without_knowledge_has_the_figures_of_guessing():
    model = char_rnn("gru", vocabulary_size=4, hidden_dim=4)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    metrics = text_metrics(model, lines("abc", "b"))
    assert metrics["num_items"] == 2 and metrics["num_characters"] == 6
    assert metrics["cross_entropy"] == pytest.approx(math.log(4), rel=1e-6)
    assert metrics["bits_per_character"] == pytest.approx(2, rel=1e-6)
    assert metrics["perplexity"] == pytest.approx(4, rel=1e-6)


def test_figures_by_character_and_place_average_to_the_whole_and_ignore_what_fills_rows_up():
    keras.utils.set_random_seed(1)
    model = char_rnn("lstm", vocabulary_size=4, hidden_dim=6)
    narrow, data = lines("abc", "b"), lines("abc", "b")
    wide = TextData(
        "wide", VOCABULARY, 30, True, *(getattr(data, s) for s in ("train", "validation", "test"))
    )
    metrics = text_metrics(model, narrow)
    assert text_metrics(model, wide)["cross_entropy"] == pytest.approx(metrics["cross_entropy"], rel=1e-6)
    for table in ("per_character", "per_position"):
        rows = metrics[table]
        assert sum(row["count"] for row in rows) == 6
        mean = sum(row["count"] * row["cross_entropy"] for row in rows) / 6
        assert mean == pytest.approx(metrics["cross_entropy"])
    assert [row["character"] for row in metrics["per_character"]] == ["\\n", "a", "b", "c"]
    assert [row["count"] for row in metrics["per_position"]] == [2, 2, 1, 1]


def test_running_text_is_read_from_end_to_end_by_a_recurrent_model():
    keras.utils.set_random_seed(1)
    text = "abcabacbbcab"
    model = char_rnn("gru", vocabulary_size=4, hidden_dim=6)
    windows = [
        text_metrics(model, TextData("t", VOCABULARY, window, False, (text,), (text,), (text,)))
        for window in (5, 12)
    ]
    assert windows[0]["cross_entropy"] == pytest.approx(windows[1]["cross_entropy"], rel=1e-5)
    assert windows[0]["num_characters"] == 12 and "per_position" not in windows[0]
    transformer = char_transformer(vocabulary_size=4, length=5, hidden_dim=8, num_layers=1, num_heads=2)
    data = TextData("t", VOCABULARY, 5, False, (text,), (text,), (text,))
    assert text_metrics(transformer, data)["num_characters"] == 12


@pytest.mark.slow
def test_the_logits_of_a_long_text_are_not_in_memory_all_at_once():
    vocabulary = build_vocabulary([[chr(number) for number in range(0x4E00, 0x4E00 + 500)]])
    text = vocabulary.characters[1:] * 40
    model = char_transformer(
        vocabulary_size=len(vocabulary), length=50, hidden_dim=4, num_layers=1, num_heads=1
    )
    data = TextData("t", vocabulary, 50, False, (text,), (text,), (text,))
    text_metrics(model, data, batch_size=16)  # compiles
    tracemalloc.start()
    try:
        text_metrics(model, data, batch_size=16)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < len(text) * len(vocabulary) * 4  # bytes, of them all as float32
