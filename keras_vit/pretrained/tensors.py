"""Named arrays in files of several formats, each read when it is asked for."""

from abc import ABC, abstractmethod

from keras_vit.errors import InputError


class Tensors(ABC):
    """Named arrays; float16 and bfloat16 come as float32.

    Args:
        where: str, what a message calls the origin.
    """

    def __init__(self, where):
        self.where = str(where)

    @abstractmethod
    def names(self):
        """All names."""

    @abstractmethod
    def shape(self, name):
        """The shape of one array, without reading it."""

    @abstractmethod
    def __getitem__(self, name):
        """One array."""

    def __contains__(self, name):
        return name in self.names()


class Renamed(Tensors):
    """Tensors under other names: `prefix`, which some files leave out, is put before those that lack it.

    Args:
        tensors: `Tensors`.
        rename: function from a name in the file to the name in the table.

    Raises:
        InputError: two tensors would have one name, of which one would silently be left out.
    """

    def __init__(self, tensors, rename):
        super().__init__(tensors.where)
        self._tensors = tensors
        self._original = {}
        for name in tensors.names():
            other = self._original.setdefault(rename(name), name)
            if other != name:
                raise InputError(f"{self.where}: {other} and {name} are the same weight of the model.")

    def names(self):
        return self._original.keys()

    def shape(self, name):
        return self._tensors.shape(self._original[name])

    def __getitem__(self, name):
        return self._tensors[self._original[name]]
