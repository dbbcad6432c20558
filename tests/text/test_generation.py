import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models.char_rnn import char_rnn
from keras_vit.models.char_transformer import char_transformer
from keras_vit.text.generation import generate
from keras_vit.text.readers import reader_of
from keras_vit.text.sampling import draw, gumbel_noise, next_probabilities
from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.text.novelty import novelty

VOCABULARY = Vocabulary("\nabcdefg")
LOGITS = np.log([[0.5, 0.2, 0.15, 0.1, 0.05]])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return char_rnn("gru", vocabulary_size=8, hidden_dim=8)


def certain(after):
    """A model that generates the successor of each character in a dict, starting with `a`."""
    model = char_rnn("simple", vocabulary_size=8, hidden_dim=8)
    follow = np.zeros((8, 8))
    for character, following in {"\n": "a", **after}.items():
        follow[VOCABULARY.characters.index(character), VOCABULARY.characters.index(following)] = 50
    rnn, head = [np.eye(8) * 3, np.zeros((8, 8)), np.zeros(8)], [follow, np.zeros(8)]
    model.get_layer("rnn_0").set_weights(rnn)
    model.get_layer("head").set_weights(head)
    return model


def test_a_confident_model_generates_its_training_text_and_stops_at_the_end():
    model = certain({"a": "b", "b": "c", "c": "\n"})
    assert generate(reader_of(model), VOCABULARY, 3) == ["abc"] * 3
    assert generate(reader_of(model), VOCABULARY, 1, max_length=2) == ["ab"]
    assert generate(reader_of(model), VOCABULARY, 1, prefix="fb") == ["fbc"]
    assert generate(reader_of(model), VOCABULARY, 1, max_length=6, stop=False) == ["abc\nab"]


def test_one_seed_gives_one_list_of_texts_and_another_seed_another(model):
    first, again, other = (
        generate(reader_of(model), VOCABULARY, 5, seed=seed, max_length=12) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert all(len(text) <= 12 and "\n" not in text for text in first)
    assert all(text.startswith("abba") for text in generate(reader_of(model), VOCABULARY, 5, prefix="abba"))


def test_a_sample_is_the_same_however_many_are_drawn(model):
    reader = reader_of(model)
    assert (
        generate(reader, VOCABULARY, 2, seed=5, max_length=9)
        == generate(reader, VOCABULARY, 6, seed=5, max_length=9)[:2]
    )


def test_a_transformer_writes_beyond_its_window_from_its_last_characters():
    keras.utils.set_random_seed(0)
    model = char_transformer(vocabulary_size=8, length=5, hidden_dim=8, num_layers=1, num_heads=2)
    texts = generate(reader_of(model), VOCABULARY, 2, max_length=9, stop=False, prefix="abcdefg", seed=3)
    assert [len(text) for text in texts] == [9, 9]
    logits = model(VOCABULARY.encode("cdefg")[None])[0, -1]
    one = next_probabilities(keras.ops.convert_to_numpy(logits)[None])
    drawn = draw(np.repeat(one, 2, axis=0), next(gumbel_noise(3, 2, 8)))
    assert [text[7] for text in texts] == list(VOCABULARY.decode(drawn))


def test_temperature_sharpens_and_flattens():
    np.testing.assert_allclose(next_probabilities(LOGITS), np.exp(LOGITS), rtol=1e-12)
    squares = np.exp(LOGITS) ** 2
    np.testing.assert_allclose(next_probabilities(LOGITS, 0.5), squares / squares.sum(), rtol=1e-12)
    for near_zero in (1e-6, 1e-320):
        assert next_probabilities(LOGITS, near_zero)[0].tolist() == [1, 0, 0, 0, 0]
    assert np.ptp(next_probabilities(LOGITS, 1e6)) < 1e-5


def test_top_k_and_top_p_keep_the_likeliest_and_renormalize_them():
    np.testing.assert_allclose(next_probabilities(LOGITS, top_k=2), [[5 / 7, 2 / 7, 0, 0, 0]])
    np.testing.assert_allclose(next_probabilities(LOGITS, top_k=9), np.exp(LOGITS))
    np.testing.assert_allclose(next_probabilities(LOGITS, top_p=0.6), [[5 / 7, 2 / 7, 0, 0, 0]])
    np.testing.assert_allclose(next_probabilities(LOGITS, top_p=0.01), [[1, 0, 0, 0, 0]])
    np.testing.assert_allclose(next_probabilities(LOGITS, top_p=1.0), np.exp(LOGITS))
    # Of equal characters exactly top_k are kept.
    assert (next_probabilities(np.zeros((1, 5)), top_k=3) > 0).sum() == 3


def test_an_unknown_character_is_never_written():
    assert next_probabilities(LOGITS, excluded=0)[0, 0] == 0


def test_samples_follow_the_probabilities_and_never_contain_tokens_of_probability_zero():
    rows = np.repeat([[0.0, 0.7, 0.0, 0.3, 0.0]], 20_000, axis=0)
    noise = np.random.default_rng(0).gumbel(size=rows.shape)
    counts = np.bincount(draw(rows, noise), minlength=5)
    assert counts[[0, 2, 4]].sum() == 0
    assert counts[1] / 20_000 == pytest.approx(0.7, abs=0.015)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "temperature of at least 1e-09, received 0"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_k": 0}, "top_k of at least 1, received 0"),
        ({"top_p": 0.0}, "top_p from 1e-09 to 1, received 0"),
        ({"top_p": 1.5}, "top_p"),
        ({"num_samples": 0}, "num_samples from 1 to 100,000, received 0"),
        ({"num_samples": 10**11}, "num_samples from 1"),
        ({"seed": -1}, "seed of at least 0, received -1"),
        ({"temperature": "1"}, r"temperature to be float, received '1' \(str\)"),
        ({"max_lenght": 3}, "did you mean 'max_length'"),
        ({"prefix": "abxz"}, "prefix 'abxz' .* not seen: 'x', 'z'"),
        ({"prefix": "a\nb"}, "within one line"),
        ({"prefix": "abc", "max_length": 2}, "more than max_length=2"),
    ],
)
def test_invalid_sampling_options_are_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        generate(reader_of(model), VOCABULARY, **options)


def test_a_bidirectional_model_cannot_generate_and_the_error_explains_it():
    model = char_rnn("gru", vocabulary_size=8, hidden_dim=4, bidirectional=True)
    with pytest.raises(InputError, match="backward half reads what follows"):
        generate(reader_of(model), VOCABULARY)


def test_novelty_counts_new_and_repeated_samples():
    figures = novelty(["a", "b", "b", "c", "b"], ["c", "d"])
    assert figures == {"num_samples": 5, "novel_share": 0.8, "duplicate_share": 0.4, "new": 2}
    with pytest.raises(InputError, match="at least one"):
        novelty([], ["a"])
