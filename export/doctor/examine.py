"""Asks all rules about a model."""

from keras_vit.export.doctor.conversion import converted
from keras_vit.export.doctor.rules import RULES
from keras_vit.export.images.checks import check_backend


def examine(model, as_is=False):
    """Returns what will be in a model's way on a phone.

    The model is converted and the file opened, so that what is told of the converter and of XNNPACK is what
    they do here; what is told of GPU and NPU delegates and the Edge TPU is what their makers document.

    Args:
        model: built `keras.Model`.
        as_is: bool. Otherwise a classifier of images is looked at in the form that `keras-vit export` writes.

    Returns:
        A list of `Finding`, in the order of `RULES`.

    Raises:
        InputError: Keras runs on another backend than TensorFlow.
    """
    check_backend()
    case = converted(model, as_is)
    return [finding for rule in RULES for finding in rule(case)]
