from pathlib import Path

import pytest

from keras_vit.io.cache_root import cache_root


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "home/.cache/keras_vit"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/keras_vit"),
        ({"XDG_CACHE_HOME": "/xdg", "KERAS_VIT_CACHE": "~/own"}, "home/own"),
        ({"XDG_CACHE_HOME": "/xdg", "KERAS_VIT_CACHE": "off"}, "/xdg/keras_vit"),
    ],
)
def test_the_folder_is_the_named_one_or_in_that_of_the_user(variables, expected, tmp_path, monkeypatch):
    for name in ("XDG_CACHE_HOME", "KERAS_VIT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**variables, "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    assert cache_root() == Path(tmp_path, expected)
