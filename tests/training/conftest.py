"""A module of a user's own, which recipes name."""

import importlib
import sys

import pytest

from keras_vit.training.own_parts import own_function


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A function that writes a module with a name and a text in a folder of its own, and imports it."""
    names = []

    def make(name, text):
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path / "parts")
        sys.modules.pop(name, None)
        own_function.cache_clear()
        names.append(name)
        return importlib.import_module(name)

    yield make
    for name in names:
        sys.modules.pop(name, None)
