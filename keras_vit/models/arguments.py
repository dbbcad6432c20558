"""The arguments of the model builders: their types, and how they are checked."""

import functools
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

import keras
import numpy as np

from keras_vit.constraints import Range, checked, parameters
from keras_vit.errors import InputError

P = ParamSpec("P")
R = TypeVar("R", bound=keras.Model)

NumClasses = Annotated[int, Range(1)]
Channels = Annotated[int, Range(1)]
PerChannel = float | tuple[float, ...] | list[float] | np.ndarray  # one number, or one per channel
HiddenSize = Annotated[int, Range(1, 2**16)]
MLPSize = Annotated[int, Range(1, 2**19)]


def builder_arguments(builder: Callable) -> dict[str, Any]:
    """Returns the arguments that a builder of `keras_vit.models` accepts, with their annotations.

    Args:
        builder: such as `keras_vit.models.vit`, or any function with annotations.

    Returns:
        dict from an argument's name to its annotation, the options of `**options: Unpack[...]` included.
        Limits are metadata of `Annotated`; `keras_vit.constraints.check_value` applies them.

    Example:
        >>> from keras_vit.constraints import check_value
        >>> from keras_vit.models import vit
        >>> check_value("drop_path_rate", 0.1, builder_arguments(vit)["drop_path_rate"])
    """
    return dict(parameters(builder))


def builder(function: Callable[P, R]) -> Callable[P, R]:
    """Decorates a builder, whose arguments are then checked against their annotations.

    Raises:
        InputError: when called with an unknown or unfit argument, or with sizes that a layer refuses.
    """
    build = checked(function)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return build(*args, **kwargs)
        except InputError:
            raise
        except ValueError as error:
            raise InputError(str(error).split("\n")[0]) from error

    return wrapper
