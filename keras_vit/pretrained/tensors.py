"""Named arrays in files of several formats, each read only when it is used."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_vit.errors import InputError


class Tensor(NamedTuple):
    """An array that is not read yet."""

    shape: tuple
    read: Callable  # () -> float32 array of that shape


class Tensors(dict[str, Tensor]):
    """Tensors by name; messages call their origin `where`."""

    def __init__(self, where, tensors):
        super().__init__(tensors)
        self.where = str(where)

    def shape(self, name):
        return tuple(self[name].shape)

    def size(self, name, axis=0):
        """Returns the size of an axis, or 0 if the tensor does not exist."""
        return self[name].shape[axis] if name in self else 0

    def renamed(self, rename: Callable[[str], str]) -> "Tensors":
        """Returns the tensors under other names; two of one name are an InputError."""
        names = {}
        for name in self:
            other = names.setdefault(rename(name), name)
            if other != name:
                raise InputError(f"{self.where}: {other} and {name} are the same weight of the model.")
        return Tensors(self.where, {name: self[original] for name, original in names.items()})


def as_float32(array: np.ndarray, is_bfloat16: bool = False) -> np.ndarray:
    """Returns a float32 array; bfloat16 arrays are given as their 16 bits."""
    if is_bfloat16:
        return (array.astype("<u4") << 16).view("<f4")
    return array.astype("float32", copy=False)
