import types

import keras
import pytest

from keras_vit.errors import InputError
from keras_vit.training.callbacks.history_file import HistoryFile
from keras_vit.training.callbacks.run_state import Position, RunState
from keras_vit.training.devices import Engine
from keras_vit.training.state_file import write_state

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
def test_a_state_without_a_field_or_with_one_of_another_kind_is_none_though_its_checksum_is_right(
    tmp_path, field
):
    without = {name: value for name, value in DOCUMENT.items() if name != field}
    for document in (without, {**DOCUMENT, field: [1]}, [1]):
        with pytest.raises(InputError, match="all are damaged"):
            load(tmp_path, document)


def test_the_state_before_one_that_is_none_is_taken(tmp_path):
    assert load(tmp_path, DOCUMENT, {**DOCUMENT, "step": 3}) == Position(epoch=1)


def test_an_interrupted_epoch_counts_the_seconds_of_both_its_parts(tmp_path):
    history = HistoryFile(tmp_path / "history.csv")
    document = {**DOCUMENT, "callbacks": {"HistoryFile": {"rows": [], "seconds": 1000.0}}}
    state = run_state(tmp_path, document, callbacks=[history])
    state.load()
    history.on_epoch_begin(0)
    state.on_train_begin()
    assert 1000 <= history.state()["seconds"] < 1060
    history.on_epoch_begin(1)
    assert history.state()["seconds"] < 60


@pytest.mark.parametrize("memory", [{}, [1], None, {"rows": [], "seconds": "1"}, {"rows": 5, "seconds": 1.0}])
def test_a_callbacks_memory_of_another_form_is_refused(tmp_path, memory):
    history = HistoryFile(tmp_path / "history.csv")
    state = run_state(tmp_path, {**DOCUMENT, "callbacks": {"HistoryFile": memory}}, callbacks=[history])
    state.load()
    with pytest.raises(InputError, match="does not hold what HistoryFile needs"):
        state.on_train_begin()


@pytest.mark.parametrize(
    "callbacks", [{}, {"EarlyStopping": {"on_epoch_end": 5}}, {"EarlyStopping": {"best": "high"}}]
)
def test_a_state_without_a_callbacks_memory_or_with_other_fields_in_it_is_refused(tmp_path, callbacks):
    stopping = keras.callbacks.EarlyStopping()
    state = run_state(tmp_path, {**DOCUMENT, "callbacks": callbacks}, callbacks=[stopping])
    state.load()
    with pytest.raises(InputError, match="does not hold what EarlyStopping needs"):
        state.on_train_begin()


def test_metrics_that_a_state_does_not_hold_are_refused():
    model = types.SimpleNamespace(metrics_variables=[keras.Variable(0.0), keras.Variable(0.0)])
    for count in (0, 3):
        with pytest.raises(ValueError, match="expected arrays for 2 variables"):
            Engine().restore_metrics(model, [0.0] * count)
