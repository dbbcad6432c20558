import pytest

from keras_vit.errors import InputError
from training.callbacks.run_state import Position, RunState
from training.devices import Engine
from training.state_file import write_state

DOCUMENT = {
    "epoch": 1,
    "step": 0,
    "stopped": False,
    "steps_per_epoch": 2,
    "backend": "tensorflow",
    "variables": 0,
    "callbacks": {},
}


def load(folder, *documents):
    for number, document in enumerate(documents):
        write_state(folder / f"{number}.state", [], document)
    return RunState(folder, 2, [], None, None, None, Engine()).load()


@pytest.mark.parametrize("field", DOCUMENT)
def test_a_state_without_a_field_or_with_one_of_another_kind_is_none_though_its_checksum_is_right(
    tmp_path, field
):
    without = {name: value for name, value in DOCUMENT.items() if name != field}
    for document in (without, {**DOCUMENT, field: [1]}, [1]):
        with pytest.raises(InputError, match="all are damaged"):
            load(tmp_path, document)


def test_the_state_before_one_that_is_none_is_taken(tmp_path):
    assert load(tmp_path, DOCUMENT, {**DOCUMENT, "step": 2}) == Position(epoch=1)
