import types

import keras
import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training.callbacks.history_file import HistoryFile
from keras_vit.training.checkpoint import Position, RunState
from keras_vit.training.checkpoint.run_state import state_variables
from keras_vit.training.checkpoint.state_file import write_state
from keras_vit.training.checkpoint.stateful_callbacks import stateful_callbacks
from keras_vit.training.devices import Engine


class Momentum(keras.optimizers.Optimizer):
    """Makes its variables in each call of `build`, as Keras's example of an optimizer does."""

    def build(self, variables):
        super().build(variables)
        self.means = [self.add_variable_from_reference(variable, "mean") for variable in variables]


class Adaptive(keras.losses.Loss):
    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(1)
        self.parts = {"mean": keras.Variable(1.0), "layer": keras.layers.Rescaling(2.0)}


class Counting(keras.callbacks.Callback):
    def __init__(self, most=3):
        super().__init__()
        self.most, self.steps, self.arrays = most, [], np.zeros(1)


DOCUMENT = {
    "epoch": 1,
    "step": 0,
    "stopped": False,
    "steps_per_epoch": 2,
    "backend": "tensorflow",
    "variables": 0,
    "callbacks": {},
}


def run_state(folder, *documents, callbacks=()):
    for number, document in enumerate(documents):
        write_state(folder / f"{number}.state", [], document)
    return RunState(folder, 2, callbacks, None, None, None, Engine())


def load(folder, *documents):
    return run_state(folder, *documents).load()


@pytest.mark.parametrize("field", DOCUMENT)
def test_a_state_with_a_missing_or_mistyped_field_is_refused_despite_a_valid_checksum(tmp_path, field):
    without = {name: value for name, value in DOCUMENT.items() if name != field}
    for document in (without, {**DOCUMENT, field: [1]}, [1]):
        with pytest.raises(InputError, match="all are damaged"):
            load(tmp_path, document)


def test_an_invalid_state_falls_back_to_the_one_before_it(tmp_path):
    assert load(tmp_path, DOCUMENT, {**DOCUMENT, "step": 3}) == Position(epoch=1)


def test_the_seconds_of_an_interrupted_epoch_include_both_its_parts(tmp_path):
    history = HistoryFile(tmp_path / "history.csv")
    document = {**DOCUMENT, "callbacks": {"HistoryFile": {"rows": [], "seconds": 1000.0}}}
    state = run_state(tmp_path, document, callbacks=[history])
    state.load()
    history.on_epoch_begin(0)
    state.on_train_begin()
    assert 1000 <= history.state()["seconds"] < 1060
    history.on_epoch_begin(1)
    assert history.state()["seconds"] < 60


@pytest.mark.parametrize("saved", [{}, [1], None, {"rows": [], "seconds": "1"}, {"rows": 5, "seconds": 1.0}])
def test_a_callback_state_of_another_form_is_refused(tmp_path, saved):
    history = HistoryFile(tmp_path / "history.csv")
    state = run_state(tmp_path, {**DOCUMENT, "callbacks": {"HistoryFile": saved}}, callbacks=[history])
    state.load()
    with pytest.raises(InputError, match="does not hold what HistoryFile needs"):
        state.on_train_begin()


@pytest.mark.parametrize(
    "callbacks", [{}, {"EarlyStopping": {"on_epoch_end": 5}}, {"EarlyStopping": {"best": "high"}}]
)
def test_a_missing_callback_state_or_one_with_other_fields_is_refused(tmp_path, callbacks):
    stopping = keras.callbacks.EarlyStopping()
    state = run_state(tmp_path, {**DOCUMENT, "callbacks": callbacks}, callbacks=[stopping])
    state.load()
    with pytest.raises(InputError, match="does not hold what EarlyStopping needs"):
        state.on_train_begin()


def test_a_wrong_number_of_metric_arrays_is_refused():
    model = types.SimpleNamespace(metrics_variables=[keras.Variable(0.0), keras.Variable(0.0)])
    for count in (0, 3):
        with pytest.raises(ValueError, match="expected arrays for 2 variables"):
            Engine().restore_metrics(model, [0.0] * count)


def test_variables_of_own_optimizers_and_losses_belong_to_the_state_once():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(Momentum(0.1), Adaptive())
    names = [variable.name for variable in state_variables(model)]
    assert names == [variable.name for variable in state_variables(model)]
    assert len(names) == 2 + 2 + 2 + 2  # of layer, optimizer (step, rate and means) and loss


def test_a_callback_of_a_user_keeps_what_a_training_changed():
    callback, other = Counting(), Counting(most=5)
    (saved,), (restored,) = (stateful_callbacks([each]).values() for each in (callback, other))
    assert saved.state() == {}
    callback.steps.append(4)
    callback.arrays = np.ones(1)
    restored.restore(saved.state())
    assert saved.state() == {"steps": [4]} and (other.most, other.steps) == (5, [4])
    callback.steps.append(5)
    assert other.steps == [4]


def test_a_state_without_own_callbacks_or_seed_is_of_an_earlier_version_and_loads(tmp_path):
    state = run_state(tmp_path, DOCUMENT, callbacks=[Counting()])
    assert state.load() == Position(1, 0, False)
    state.on_train_begin()
    assert state._saved is None


@pytest.mark.parametrize("seed", [[1], [1, -1], [1, 2.5], "12", [1, 2**32]])
def test_a_state_with_a_mistyped_seed_is_refused(tmp_path, seed):
    with pytest.raises(InputError, match="all are damaged"):
        load(tmp_path, {**DOCUMENT, "global_seed": seed})
