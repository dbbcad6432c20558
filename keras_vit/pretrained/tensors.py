"""Named arrays in files of several formats, each read only when it is used."""

from collections.abc import Callable
from typing import NamedTuple

from keras_vit.errors import InputError


class Tensor(NamedTuple):
    """An array that is not read yet."""

    shape: tuple
    read: Callable  # () -> float32 array of that shape


class Tensors(dict):
    """A dict from names to `Tensor`.

    Args:
        where: str or Path, what messages call the origin.
        tensors: dict of str to `Tensor`.
    """

    def __init__(self, where, tensors):
        super().__init__(tensors)
        self.where = str(where)

    def shape(self, name):
        return tuple(self[name].shape)

    def renamed(self, rename):
        """Returns the tensors under other names.

        Args:
            rename: function from a name in the file to the name in the table.

        Raises:
            InputError: two tensors would have the same name.
        """
        names = {}
        for name in self:
            other = names.setdefault(rename(name), name)
            if other != name:
                raise InputError(f"{self.where}: {other} and {name} are the same weight of the model.")
        return Tensors(self.where, {name: self[original] for name, original in names.items()})


def as_float32(array, is_bfloat16=False):
    """Returns a float32 array; bfloat16 arrays are given as their 16 bits."""
    if is_bfloat16:
        return (array.astype("<u4") << 16).view("<f4")
    return array.astype("float32", copy=False)
