"""Applies all rules to a model."""

import keras

from keras_vit.errors import InputError
from keras_vit.export.doctor.case import convert_case
from keras_vit.export.doctor.finding import Finding
from keras_vit.export.doctor.rules import RULES
from keras_vit.export.verification.export import check_backend


def examine(model: keras.Model, as_is: bool = False) -> list[Finding]:
    """Returns what in a model will be an obstacle on a phone, and how to fix it.

    The model is converted and the file opened, so that findings about the converter, LiteRT and XNNPACK are
    measured here; those about GPU and NPU delegates and the Edge TPU follow their makers' documentation.

    Args:
        model: functional or Sequential `keras.Model`, trained or not.
        as_is: bool, whether the model is converted as is. By default (False) a classifier of images or a
            character model is converted in the form that `export_model` writes, any other model as is.

    Returns:
        A list of `Finding` (`target`, `layer`, `reason`, `fix`), empty if there are no obstacles.

    Raises:
        InputError: a model whose inputs are not known, or Keras runs on another backend than TensorFlow.

    Example:
        >>> import keras
        >>> from keras_vit.export.doctor.examine import examine
        >>> steps = keras.Input((5, 8))
        >>> model = keras.Model(steps, keras.layers.LSTM(4, name="memory")(steps))
        >>> [(finding.target, finding.layer) for finding in examine(model)][0]
        ('int8', 'memory')
    """
    check_backend()
    if not getattr(model, "inputs", None):
        raise InputError(
            f"Expected a functional or Sequential model with keras.Input, received a {type(model).__name__} "
            "whose inputs are not known. Wrap it as keras.Model(x, model(x)) with x = keras.Input(...)."
        )
    case = convert_case(model, as_is)
    return [finding for rule in RULES for finding in rule(case)]
