"""The arguments that model builders share, and the rows of their tables."""

from typing import Annotated, Any

import numpy as np

from keras_vit.constraints import Range
from keras_vit.errors import InputError

NumClasses = Annotated[int, Range(1)]
Channels = Annotated[int, Range(1)]
PerChannel = float | tuple[float, ...] | list[float] | np.ndarray  # one number, or one per channel
HiddenSize = Annotated[int, Range(1, 2**16)]
MLPSize = Annotated[int, Range(1, 2**19)]


def variant_row(model: str, sizes: dict, variant: Any, **given: Any) -> Any:
    """Returns a variant's row of a table of sizes, with the fields of `given` that are not None in it.

    An unknown variant is an InputError, which calls the network `model`.
    """
    if str(variant) not in sizes:
        raise InputError(f"Unknown {model} variant {variant!r}. Expected one of {', '.join(sizes)}.")
    return sizes[str(variant)]._replace(**{field: v for field, v in given.items() if v is not None})
