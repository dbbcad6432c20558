"""The real converter, in this process: a process of its own for each model would take minutes."""

import runpy
import sys

import keras
import pytest

from keras_vit import ConditionError


@pytest.fixture
def examine(monkeypatch):
    """Returns `(model, as_is=False) -> {target: finding}` of the findings, which are unlike each other."""

    def run_here(program, *arguments, **_):
        monkeypatch.setattr(sys, "argv", [program[0], *map(str, arguments)])
        try:
            runpy.run_path(program[0], run_name="__main__")
        except Exception as error:
            raise ConditionError(str(error)) from error

    monkeypatch.setattr("keras_vit.export.tflite.run_child", run_here)
    monkeypatch.setattr("keras_vit.export.doctor.conversion.run_child", run_here)
    from keras_vit.export.doctor.examine import examine

    return examine


@pytest.fixture(autouse=True)
def float32():
    yield
    keras.config.set_dtype_policy("float32")
