"""Training a user's compiled model, and continuing after an interruption at any step."""

import keras
import numpy as np
import pytest
from builders_of_tests import X, Y, dense

from keras_vit import InputError
from keras_vit.training.checkpoint import Interrupted
from keras_vit.training.report.history import read_history
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.builders.batches import ArrayBatches
from keras_vit.training.tuning.builders.fit import fit_compiled

TRAIN, VALIDATION = (X[:60], Y[:60]), (X[60:], Y[60:])


class StopAt(keras.callbacks.Callback):
    """Stops a training as a signal would, after a step of an epoch."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = epoch, step

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            import signal

            signal.raise_signal(signal.SIGTERM)


def compiled():
    keras.utils.set_random_seed(3)
    model = dense(8, rate=0.3)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def fit(folder, train=TRAIN, callbacks=(), epochs=3, validation=VALIDATION, objective=("val_loss", "min")):
    model = compiled()
    fit_compiled(
        model, train, validation, RunFolder(folder), objective=objective, epochs=epochs,
        batch_size=16, seed=5, callbacks=callbacks,
    )  # fmt: skip
    return [np.array(weight) for weight in (*model.get_weights(), *model.optimizer.variables)]


def interrupted(folder, at, **options):
    with pytest.raises(Interrupted):
        fit(folder, callbacks=[StopAt(*at)], **options)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "at",
    [
        pytest.param((0, 0), marks=pytest.mark.slow),
        (1, 2),
        pytest.param((1, 3), marks=pytest.mark.slow),
        pytest.param((2, 3), marks=pytest.mark.slow),
    ],
)
def test_a_training_on_arrays_that_is_interrupted_ends_with_the_same_weights(tmp_path, at):
    whole = fit(tmp_path / "whole")
    interrupted(tmp_path / "cut", at)
    resumed = fit(tmp_path / "cut")
    histories = [read_history(tmp_path / name / "history.csv", ("epoch",)) for name in ("whole", "cut")]
    for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_array_equal(histories[0][column], histories[1][column])
    assert same(whole, resumed)
    best = keras.models.load_model(tmp_path / "cut" / "model.keras")
    expected = keras.models.load_model(tmp_path / "whole" / "model.keras")
    assert same(best.get_weights(), expected.get_weights())


def test_a_training_continues_with_more_epochs_as_if_it_had_never_stopped(tmp_path):
    fit(tmp_path / "parts", epochs=1)
    assert same(fit(tmp_path / "parts"), fit(tmp_path / "whole"))


@pytest.mark.slow
def test_an_epoch_of_a_dataset_starts_again(tmp_path):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(TRAIN).batch(16)  # in a fixed order: the same weights
    interrupted(tmp_path / "cut", (1, 2), train=data)
    assert same(fit(tmp_path / "cut", train=data), fit(tmp_path / "whole", train=data))


def test_every_row_is_in_every_epoch_once():
    batches = ArrayBatches((np.arange(10), np.arange(10)), 4, seed=1)
    epochs = [np.concatenate([batches.batch(e, s)[0] for s in range(batches.steps)]) for e in range(2)]
    assert batches.steps == 3 and all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert not np.array_equal(*epochs)


@pytest.mark.parametrize("kind", ["none", "dataset"])
def test_arrays_need_no_arrays_for_validation(tmp_path, kind):
    import tensorflow as tf

    held = None if kind == "none" else tf.data.Dataset.from_tensor_slices(VALIDATION).batch(16)
    interrupted(tmp_path / "cut", (1, 2), validation=held, objective=("loss", "min"))
    options = {"validation": held, "objective": ("loss", "min")}
    assert same(fit(tmp_path / "cut", **options), fit(tmp_path / "whole", **options))


def test_a_model_that_does_not_log_the_objective_is_refused_after_its_first_epoch(tmp_path):
    with pytest.raises(InputError, match="'val_accuracy' is not logged. Expected one of .*Give validation"):
        fit(tmp_path, validation=None, objective=("val_accuracy", "max"))
