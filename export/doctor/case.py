"""A model and the TFLite file that comes of it: what the rules look at."""

import dataclasses

import keras

from keras_vit.keras_internals import all_layers


@dataclasses.dataclass(frozen=True)
class Case:
    """What is known of a model.

    Attributes:
        model: `keras.Model`.
        as_exported: bool, whether the file has the form in which `keras-vit export` writes it.
        refusal: str, why TensorFlow's converter wrote no file of builtin operators; None when it did.
        graph: the file's `ModelT`, with Flex operators where it cannot be without, or None.
        operators: tuple of `keras_vit.export.tflite.graph.Operator`, the file's.
        failure: str, why LiteRT does not run the file, or None.
        outside: tuple of those operators that the XNNPACK delegate leaves; empty with a failure.
    """

    model: keras.Model
    as_exported: bool = False
    refusal: str | None = None
    graph: object = None
    operators: tuple = ()
    failure: str | None = None
    outside: tuple = ()

    def layer(self, operator):
        """The innermost layer that an operator's name tells, with those around it."""
        for name in operator.name.split(";"):
            parts = [self._as_named(part) for part in name.split("/")]
            while parts and parts[-1] not in self._names:
                parts.pop()
            if parts:
                return "/".join(part for part in parts if part != self.model.name) or self.model.name
        return operator.name.split(";")[0] or self.model.name

    def layers(self, operators):
        return [self.layer(operator) for operator in operators]

    @property
    def _names(self):
        return {layer.name for layer in all_layers(self.model)}

    def _as_named(self, part):
        """Without the number that tracing adds."""
        stem, _, number = part.rpartition("_")
        return stem if part not in self._names and number.isdigit() and stem in self._names else part
