"""Objects of users on their way to other processes."""

import dataclasses
import pickle
from typing import Any

import cloudpickle
import keras

from keras_vit.errors import InputError, first_line
from keras_vit.importing import import_named, name_of


@dataclasses.dataclass(frozen=True)
class Sent:
    """An object by its name where it has one, else pickled together with its code.

    A function of a module is imported by each process. One of a script or notebook, a lambda and an instance
    are pickled by cloudpickle, with the classes of the script that are registered with Keras.
    """

    name: str  # in journals and messages
    pickled: bytes | None = None  # None: `name` can be imported

    @classmethod
    def of(cls, value: Any, what: str) -> "Sent":
        """Makes it of an object, or of its `module:name`; messages call the object `what`."""
        if isinstance(value, str):
            return cls(value)
        try:
            return cls(name_of(value, what))
        except InputError:
            described = value if hasattr(value, "__qualname__") else type(value)
        try:
            content = cloudpickle.dumps((value, _registered_in_script()))
        except Exception as error:  # pickling runs methods of any class
            raise InputError(
                f"{what[0].upper()}{what[1:]} is sent to other processes, which this {type(value).__name__} "
                f"does not allow ({first_line(error)}). Give a function that returns it instead."
            ) from error
        return cls(f"{described.__module__}:{described.__qualname__}", content)

    def load(self, what: str) -> Any:
        """Returns the object, in any process."""
        if self.pickled is None:
            return import_named(self.name, what)
        try:
            value, registered = pickle.loads(self.pickled)
        except Exception as error:
            raise InputError(
                f"{self.name} cannot be loaded in another process: {first_line(error)}."
            ) from error
        for name, kind in registered.items():
            if keras.saving.get_registered_object(name) is None:
                package, _, own = name.rpartition(">")
                keras.saving.register_keras_serializable(package or "Custom", own)(kind)
        return value


def _registered_in_script():
    """Returns the classes that `__main__` registered with Keras, which pickling alone would not register."""
    objects = keras.saving.get_custom_objects()
    return {name: kind for name, kind in objects.items() if getattr(kind, "__module__", "") == "__main__"}
