"""Loads a SavedModel of ours that may come from anywhere."""

import contextlib

from keras_vit.errors import InputError, first_line
from keras_vit.export.saved_model.check import check_saved_model


@contextlib.contextmanager
def loaded_saved_model(path):
    """Checks a SavedModel's graph and yields what TensorFlow loads; read its signatures inside the block.

    Whatever is missing there is one InputError.
    """
    import tensorflow as tf

    check_saved_model(path)
    try:
        yield tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow's errors for an unreadable folder have nearly every type
        raise InputError(
            f"{path} is not a SavedModel written by keras_vit that can be loaded: {first_line(error)}"
        ) from error
