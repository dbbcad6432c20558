"""Applies all rules to a model."""

from typing import Any

import keras

from keras_vit.export.doctor.case import convert_case
from keras_vit.export.doctor.finding import Finding
from keras_vit.export.doctor.rules import RULES
from keras_vit.export.model.arrays import check_takes_numbers
from keras_vit.export.model.checks import check_model
from keras_vit.export.model.signature import graph_signature
from keras_vit.export.verification.export import check_backend
from keras_vit.keras_internals import is_graph


def examine(
    model: keras.Model,
    as_is: bool = False,
    *,
    inputs: Any = None,
    task: str | None = None,
    activation: str | dict[str, str] | None = None,
) -> list[Finding]:
    """Returns what in a model will be an obstacle on a phone, and how to fix it.

    The model is converted and the file opened, so that findings about the converter, LiteRT and XNNPACK are
    measured here; those about GPUs were seen on a software GPU, those about NPUs and the Edge TPU follow
    their makers' documentation.

    Args:
        model: `keras.Model` of any kind, trained or not.
        as_is: bool, whether TensorFlow's converter gets the model as it is. Default: False, the file has the
            form that `export_model` writes, of a character model its step.
        inputs: array, or list or dict of arrays, one item or more, which determine the sizes of the file.
            Default: zeros of the sizes of `keras.Input`. A functional model with open sizes is then examined
            as it is; a subclassed one needs inputs unless it was built.
        task, activation: what the file is to be exported with, as in `export_model`. Default: None.

    Returns:
        A list of `Finding` (`target`, `layer`, `reason`, `fix`), empty if there are no obstacles.

    Raises:
        InputError: inputs that are not known, do not fit or are strings, or Keras runs on another backend
            than TensorFlow.

    Example:
        >>> import keras
        >>> from keras_vit.export.doctor.examine import examine
        >>> steps = keras.Input((5, 8))
        >>> model = keras.Model(steps, keras.layers.LSTM(4, name="memory")(steps))
        >>> [(finding.target, finding.layer) for finding in examine(model)][0]
        ('int8', 'memory')
    """
    check_backend()
    check_model(model)
    for tensor in graph_signature(model).inputs if is_graph(model) else ():
        check_takes_numbers(tensor)
    case = convert_case(model, as_is, inputs, task, activation)
    return [finding for rule in RULES for finding in rule(case)]
