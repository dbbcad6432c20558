"""Runs the real converter in this process: one process per model would take minutes."""

import importlib

import keras
import pytest

from keras_vit import ConditionError


@pytest.fixture
def examine(monkeypatch):
    """Returns `examine`, whose worker programs run in this process."""

    def run_here(program, time_limit=None, **job):
        try:
            return importlib.import_module(f"keras_vit.export.workers.{program}").run(**job)
        except Exception as error:
            raise ConditionError(str(error)) from error

    monkeypatch.setattr("keras_vit.export.workers.runner.run_worker", run_here)
    monkeypatch.setattr("keras_vit.export.doctor.case.run_worker", run_here)
    from keras_vit.export.doctor.examine import examine

    return examine


@pytest.fixture(autouse=True)
def float32():
    yield
    keras.config.set_dtype_policy("float32")
