"""What a process does for a trial, here in the process of the tests."""

import json
import sys

import keras
import keras_tuner
import pytest
from builders_of_tests import WithOwnFit, WithOwnScore, build, build_dynamic, dense, train, validation

from keras_vit import InputError
from keras_vit.training.tuning.builders.sent import Sent
from keras_vit.training.tuning.builders.space import BuilderSpace


class Reports(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rows = []

    def on_epoch_end(self, epoch, logs=None):
        assert epoch == len(self.rows)
        self.rows.append(dict(logs))


@pytest.fixture
def trial(tmp_path):
    """Runs a trial; returns the epochs that it reported and the last values that it discovered."""

    def run(builder, objective=("val_auc", "max"), epochs=2, until_epoch=None, **values):
        sent = Sent.of(builder, "the builder")
        space = BuilderSpace(sent, {"train": train, "validation": validation}, objective, epochs)
        space.prepare(tmp_path)
        found, reports = {}, Reports()
        work = space.work_of({"units": 4, **values}, seed=7)
        work.fit(
            tmp_path / "run", work.load_data(), lambda _, values: found.update(values), reports, until_epoch
        )
        return reports.rows, found

    return run


def test_a_trial_reports_each_epoch_and_keeps_model_history_and_hyperparameters(trial, tmp_path):
    rows, found = trial(build, learning_rate=0.01)
    assert len(rows) == 2 and {"loss", "auc", "val_loss", "val_auc"} <= rows[0].keys()
    assert found == {"units": 4, "learning_rate": 0.01}
    saved = json.loads((tmp_path / "run" / "hyperparameters.json").read_text())
    assert keras_tuner.HyperParameters.from_config(saved).values == found
    assert keras.models.load_model(tmp_path / "run" / "model.keras").layers[1].units == 4
    assert (tmp_path / "run" / "history.csv").read_text().startswith("epoch,loss,val_loss,learning_rate,")


def test_values_that_the_model_declares_are_discovered(trial):
    _, found = trial(build_dynamic, ("val_loss", "min"), layers=2, units_0=5)
    assert found == {"units": 4, "layers": 2, "units_0": 5, "units_1": 2}


def test_a_fit_of_its_own_gets_epochs_and_reports_them(trial, tmp_path):
    rows, found = trial(WithOwnFit)
    assert len(rows) == 2 and found["batch_size"] == 10
    assert (tmp_path / "run" / "model.keras").exists()
    assert len(trial(WithOwnFit, epochs=9, until_epoch=3)[0]) == 3  # hyperband


def test_the_score_may_be_what_a_fit_of_its_own_returns(trial, tmp_path):
    rows, _ = trial(WithOwnScore, ("val_own", "min"))
    assert [list(row) for row in rows] == [["val_own"]]
    assert (tmp_path / "run" / "model.keras").exists()


def test_an_objective_that_a_fit_of_its_own_neither_logs_nor_returns_is_an_error(trial):
    with pytest.raises(InputError, match="'val_f1' is not among what fit logged or returned: .*val_auc"):
        trial(WithOwnFit, ("val_f1", "max"))


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda self, hp, model, *data, **options: None, "received NoneType: end it with `return model.fit"),
        (lambda self, hp, model, *data, **options: "good", "a dict of metrics, or a number, received str"),
        (lambda self, hp, model, *data, **options: float("nan"), "finite numbers, received val_auc=nan"),
        (lambda self, hp, model, *data, **options: sys.exit(3), r"fit\(hp, model, ...\) of .* raised System"),
        (lambda self, hp, model, *data, **options: 1 / 0, r"fit\(hp, model, ...\) of .* raised ZeroDivision"),
    ],
)
def test_a_fit_of_its_own_that_fails_is_an_error_of_one_line(trial, fit, message):
    hypermodel = type("Own", (keras_tuner.HyperModel,), {"build": lambda self, hp: build(hp), "fit": fit})
    with pytest.raises(InputError, match=message) as refused:
        trial(hypermodel())
    assert "\n" not in str(refused.value)


def test_a_subclass_is_trained_and_saved(trial, tmp_path):
    @keras.saving.register_keras_serializable(package="tests_of_work")
    class Doubled(keras.Model):
        def __init__(self, units, **options):
            super().__init__(**options)
            self.units, self.inner = units, dense(units)

        def call(self, inputs, training=False):
            return self.inner(2 * inputs, training=training)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    def build_subclass(hp):
        model = Doubled(hp.Int("units", 2, 9))
        model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
        return model

    assert len(trial(build_subclass)[0]) == 2
    assert keras.models.load_model(tmp_path / "run" / "model.keras").units == 4
