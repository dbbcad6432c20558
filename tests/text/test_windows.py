import numpy as np

from keras_vit.text.vocabulary import build_vocabulary
from keras_vit.text.windows import line_windows, running_windows

VOCABULARY = build_vocabulary(["abc"])


def test_a_line_begins_and_ends_with_a_newline_and_what_fills_it_up_does_not_count():
    windows = line_windows(["abc", "b"], VOCABULARY, 5)
    assert windows.inputs.tolist() == [[0, 1, 2, 3, 0], [0, 2, 0, 0, 0]]
    assert windows.targets.tolist() == [[1, 2, 3, 0, 0], [2, 0, 0, 0, 0]]
    assert windows.mask.sum(axis=1).tolist() == [4, 2]


def test_weights_make_the_mean_over_all_places_the_mean_over_characters():
    windows = line_windows(["abc", "b"], VOCABULARY, 5)
    losses = np.random.default_rng(0).random((2, 5))
    np.testing.assert_allclose((losses * windows.weights).mean(), losses[windows.mask].mean(), rtol=1e-6)


def test_running_text_is_cut_without_loss_and_its_last_window_filled_up():
    windows = running_windows("abcabca", VOCABULARY, 3)
    assert windows.inputs.tolist() == [[0, 1, 2], [3, 1, 2], [3, 1, 0]]
    assert VOCABULARY.decode(windows.targets[windows.mask]) == "abcabca"
    assert windows.mask.sum() == 7
