"""The public names of keras_vit.training."""

import subprocess
import sys

import pytest

import keras_vit.training


def test_importing_the_package_imports_no_engine():
    program = (
        "import sys, keras_vit.training\n"
        "print(sorted({'keras', 'numpy', 'tensorflow'} & set(sys.modules)), *dir(keras_vit.training))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.startswith("[] "), result.stderr
    assert set(keras_vit.training.__all__) <= set(result.stdout.split())


@pytest.mark.parametrize("name", keras_vit.training.__all__)
def test_every_public_name_has_a_docstring_and_annotations(name):
    found = getattr(keras_vit.training, name)
    assert found.__name__ == name and found.__doc__
    if not isinstance(found, type):
        assert "return" in found.__annotations__ and ">>>" in found.__doc__ and "Raises:" in found.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'keras_vit.training' has no attribute 'fly'"):
        keras_vit.training.fly  # noqa: B018
