"""What the outputs of a run mean, as its folder has it."""

import dataclasses

import pytest

from keras_vit.errors import InputError
from keras_vit.io.json_files import write_json
from keras_vit.io.output_meaning import NAME, OutputMeaning, read_output_meaning

MEANINGS = (
    OutputMeaning(temperature=0.7, sharpening=0.2, none_below=0.6),
    OutputMeaning("labels", "sigmoid", thresholds=(0.0, 0.3, 1.0)),
    OutputMeaning("regression", None),
)
DAMAGE = [
    *((name, value) for name in ("temperature", "sharpening") for value in (-1, 1e300, True, "1", [1], None)),
    *(("none_below", value) for value in (-0.1, 2, True, "0.5", [0.5])),
    *(("thresholds", value) for value in (0.5, [2.0], ["a"], [None])),
    *(("task", value) for value in ("photos", "labels", None, [])),
    ("activation", "sigmoid"),
    ("temperature", 0),
]


@pytest.mark.parametrize("meaning", MEANINGS)
def test_what_is_written_is_read(meaning, tmp_path):
    meaning.write(tmp_path)
    assert read_output_meaning(tmp_path) == meaning


def test_files_of_earlier_versions_have_less(tmp_path):
    assert read_output_meaning(tmp_path) == OutputMeaning()
    fields = {"task": "classification", "activation": "softmax", "temperature": 2.0, "thresholds": None}
    write_json(tmp_path / NAME, fields)
    assert read_output_meaning(tmp_path) == OutputMeaning(temperature=2.0)


@pytest.mark.parametrize(("name", "value"), DAMAGE)
def test_what_no_evaluation_writes_is_damage(name, value, tmp_path):
    write_json(tmp_path / NAME, dataclasses.asdict(OutputMeaning()) | {name: value})
    with pytest.raises(InputError, match=f"{NAME} is damaged: evaluate the run again"):
        read_output_meaning(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": NaN}', "\0"])
def test_a_file_that_is_no_such_object_is_damage(text, tmp_path):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(InputError, match=f"{NAME} is damaged: evaluate the run again"):
        read_output_meaning(tmp_path)
