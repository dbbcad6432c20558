"""Refuses runs on text where a command is for images."""

import os

from keras_vit.errors import InputError


def check_images(run_dir, command):
    """Raises InputError when a run folder, or the folder of a model, is of text."""
    folder = run_dir if os.path.isdir(run_dir) else os.path.dirname(run_dir)
    if os.path.exists(os.path.join(folder, "vocabulary.json")):
        raise InputError(
            f"{run_dir} is a run on text, which `keras-vit {command}` does not take yet: it is for images. "
            f"Use `keras-vit generate` or `keras-vit evaluate`."
        )
