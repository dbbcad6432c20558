"""The arguments of the model builders: their types, and how they are checked."""

import functools
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

import keras
import numpy as np

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError

P = ParamSpec("P")
R = TypeVar("R", bound=keras.Model)

NumClasses = Annotated[int, Range(1)]
Channels = Annotated[int, Range(1)]
PerChannel = float | tuple[float, ...] | list[float] | np.ndarray  # one number, or one per channel
HiddenSize = Annotated[int, Range(1, 2**16)]
MLPSize = Annotated[int, Range(1, 2**19)]


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


def variant_row(model: str, sizes: dict, variant: Any, **given: Any) -> Any:
    """Returns a variant's row of a table of sizes, with the fields of `given` that are not None in it.

    An unknown variant is an InputError, which calls the network `model`.
    """
    if str(variant) not in sizes:
        raise InputError(f"Unknown {model} variant {variant!r}. Expected one of {', '.join(sizes)}.")
    return sizes[str(variant)]._replace(**{field: v for field, v in given.items() if v is not None})
