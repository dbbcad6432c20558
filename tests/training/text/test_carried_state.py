import keras
import numpy as np
import pytest

from keras_vit.models.char_rnn import char_rnn
from keras_vit.training.text.carried_state import CarriedState, ResetStates

TOKENS = np.random.default_rng(0).integers(0, 7, (2, 12)).astype("int32")


def build(cell="lstm"):
    keras.utils.set_random_seed(0)
    model = CarriedState(char_rnn(cell, vocabulary_size=7, hidden_dim=6, num_layers=2), batch_size=2)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
def test_batches_in_order_are_one_text_in_training_and_independent_otherwise(cell):
    model = build(cell)
    whole = numpy(model(TOKENS, training=False))
    first, *rest = [numpy(model(TOKENS[:, i : i + 4], training=True)) for i in (0, 4, 8)]
    np.testing.assert_allclose(np.concatenate([first, *rest], axis=1), whole, atol=1e-5)
    alone = numpy(model(TOKENS[:, 4:8], training=False))
    assert np.abs(alone - rest[0]).max() > 1e-4
    model.reset_states()
    np.testing.assert_allclose(numpy(model(TOKENS[:, :4], training=True)), first, atol=1e-6)


def test_states_are_variables_that_are_saved_with_the_run_and_not_trained():
    model = build()
    assert len(model.states) == 4
    assert {id(s) for s in model.states} <= {id(v) for v in model.variables}
    assert not {id(s) for s in model.states} & {id(v) for v in model.trainable_variables}
    plain = keras.Model(model.inputs, model.outputs)
    assert len(plain.variables) == len(model.variables) - 4
    assert model.count_params() == plain.count_params() + 4 * 2 * 6


def test_validation_leaves_the_states_alone_and_an_epochs_end_resets_them():
    model = build()
    model.train_on_batch(TOKENS, TOKENS)
    before = [numpy(s).copy() for s in model.states]
    assert all(np.abs(s).max() > 0 for s in before)
    model.evaluate(TOKENS[:1], TOKENS[:1], verbose=0)
    for state, old in zip(model.states, before, strict=True):
        np.testing.assert_array_equal(numpy(state), old)
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(max(np.abs(numpy(s)).max() for s in self.model.states))

    batches = ((TOKENS[:, i : i + 4], TOKENS[:, i : i + 4]) for _ in range(2) for i in (0, 4, 8))
    look = [Look(), ResetStates(), Look()]
    model.fit(batches, epochs=2, steps_per_epoch=3, callbacks=look, verbose=0)
    assert seen[0] > 0 and seen[1] == 0 and seen[2] > 0 and seen[3] == 0
