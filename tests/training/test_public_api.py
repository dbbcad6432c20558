"""The public names of keras_vit.training."""

import subprocess
import sys

import pytest

import keras_vit.training
from keras_vit.training.data import ImageData
from keras_vit.training.text import TextData


def test_importing_the_package_imports_no_backend():
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


def test_images_and_text_are_loaded_by_one_function(tmp_path):
    (tmp_path / "story.txt").write_text("once upon a time " * 20)
    text = keras_vit.training.load_data(f"text:{tmp_path / 'story.txt'}", lines=False, window=8)
    assert isinstance(text, TextData) and text.window == 8
    images = keras_vit.training.load_data("digits", subset=50, test_fraction=0.2, seed=3)
    assert isinstance(images, ImageData) and len(images.train) == 50 and len(images.test) > 300


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No keras_vit.training attribute fly"):
        keras_vit.training.fly  # noqa: B018
