import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.text.vocabulary import build_vocabulary
from keras_vit.text.windows import line_windows
from keras_vit.training.data.streams import batch_stream, evaluation_batches
from keras_vit.training.text.batches import CarriedBatches, LineBatches, WindowBatches
from keras_vit.training.text.corpus import TextData

LINES = tuple(f"{a}{b}" for a in "abcde" for b in "vwxyz")
TEXT = "".join(np.random.default_rng(0).choice(list("abcdefgh"), 403))


def lines():
    return TextData("lines", build_vocabulary(LINES), 3, True, LINES, LINES[:2], LINES[2:4])


def running(text=TEXT, window=10):
    return TextData("running", build_vocabulary([TEXT]), window, False, (text,), (text,), (text,))


def all_of(batches, epochs=1, **start):
    stream = batch_stream(batches, epochs=epochs, **start)
    return [[keras.ops.convert_to_numpy(x) for x in batch] for batch in stream]


def test_an_epoch_shows_each_line_once_in_an_order_of_its_own():
    batches = LineBatches(lines(), 5, seed=3)
    stream = all_of(batches, epochs=2)
    assert batches.steps == 5 and len(stream) == 10
    epochs = [np.concatenate([targets for _, targets, _ in stream[first : first + 5]]) for first in (0, 5)]
    texts = [[batches_text(row) for row in epoch] for epoch in epochs]
    assert sorted(texts[0]) == sorted(texts[1]) == sorted(LINES) and texts[0] != texts[1]


def batches_text(targets):
    return lines().vocabulary.decode(targets[:2])


def test_windows_of_running_text_do_not_overlap_within_an_epoch():
    data = running()
    batches = WindowBatches(data, 4, seed=0)
    for epoch in range(3):
        rows = [batches.batch(epoch, step) for step in range(batches.steps)]
        texts = [data.vocabulary.decode(x) for inputs, _, _ in rows for x in inputs]
        places = sorted(("\n" + TEXT).index(text) for text in texts)
        assert (np.diff(places) % 10 == 0).all() and len(set(places)) == len(places) == 4 * batches.steps
    assert all((inputs[:, 1:] == targets[:, :-1]).all() for inputs, targets, _ in rows)


def test_each_row_of_carried_batches_continues_where_it_ended():
    data = running()
    batches = CarriedBatches(data, 3, seed=0)
    assert batches.steps == 13
    for epoch in range(2):
        steps = [batches.batch(epoch, step) for step in range(batches.steps)]
        for row in range(3):
            text = data.vocabulary.decode(np.concatenate([inputs[row] for inputs, _, _ in steps]))
            assert text in "\n" + TEXT
        for (_, targets, _), (inputs, _, _) in zip(steps, steps[1:], strict=False):
            np.testing.assert_array_equal(targets[:, -1], inputs[:, 0])


@pytest.mark.parametrize("kind", [LineBatches, WindowBatches, CarriedBatches])
def test_a_stream_begins_anywhere_as_if_it_had_run_so_far(kind):
    data = lines() if kind is LineBatches else running()
    whole = all_of(kind(data, 4, seed=1), epochs=3)
    steps = kind(data, 4, seed=1).steps
    rest = all_of(kind(data, 4, seed=1), epochs=3, start_epoch=1, start_step=2)
    assert len(rest) == 2 * steps - 2
    for batch, again in zip(whole[steps + 2 :], rest, strict=True):
        for one, other in zip(batch, again, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("kind", "data", "batch_size"),
    [(LineBatches, lines(), 26), (WindowBatches, running(), 41), (CarriedBatches, running(), 50)],
)
def test_too_little_text_for_a_batch_is_refused(kind, data, batch_size):
    with pytest.raises(InputError, match="Lower batch_size"):
        kind(data, batch_size, seed=0)
    with pytest.raises(InputError, match="batch_size to be a whole number"):
        kind(data, 0, seed=0)


def test_evaluation_leaves_no_row_out_and_keeps_the_order():
    windows = line_windows(LINES, lines().vocabulary, 3)
    stream = evaluation_batches((windows.inputs, windows.targets, windows.weights), batch_size=10)
    batches = [[keras.ops.convert_to_numpy(x) for x in batch] for batch in stream]
    assert [len(batch[0]) for batch in batches] == [10, 10, 5]
    for place, expected in enumerate((windows.inputs, windows.targets, windows.weights)):
        parts = [batch[place] for batch in batches]
        np.testing.assert_array_equal(np.concatenate(parts), expected)
