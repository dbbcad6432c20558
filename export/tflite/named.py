"""Runs a TFLite file with inputs and outputs by name."""

import contextlib
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from keras_vit.errors import ConditionError, first_line, listed
from keras_vit.export.images.app_input import as_taken
from keras_vit.export.tflite.rounding import Rounding


class NamedInterpreter:
    """A TFLite file as a function from a dict of arrays, of any number of items, to a dict of arrays.

    Names are those of its first signature; a file without signatures has those of its tensors. Inputs and
    outputs of int8 or int16 with a scale are given and returned as the values that they stand for. A file
    that LiteRT or its delegate cannot run is a ConditionError.

    Attributes:
        inputs, outputs: dicts from names to the tensor in the Interpreter's words: `shape` with the batch,
            `dtype`, `index`.
    """

    def __init__(self, file: bytes | str | Path, num_threads: int = 1, preserve_all_tensors: bool = False):
        content = file if isinstance(file, bytes) else Path(file).read_bytes()
        self.interpreter = Interpreter(
            model_content=content,
            num_threads=num_threads,
            experimental_preserve_all_tensors=preserve_all_tensors,
        )
        with _failures():
            self.interpreter.allocate_tensors()
        inputs, outputs = _names(content)
        self.inputs = _named(self.interpreter.get_input_details(), inputs)
        self.outputs = _named(self.interpreter.get_output_details(), outputs)

    def run(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns outputs for as many items as given."""
        count, batch = len(next(iter(arrays.values()))), self.batch_size
        parts = [self._batch(arrays, slice(start, start + batch)) for start in range(0, count, batch)]
        return {name: np.concatenate([part[name] for part in parts]) for name in self.outputs}

    def scales(self) -> dict[str, dict]:
        """Returns `dtype`, `scale` and `zero_point` of inputs and outputs that have a scale, by name."""
        found = {name: (t, Rounding.at_end(t)) for name, t in (self.inputs | self.outputs).items()}
        return {
            name: {"dtype": np.dtype(t["dtype"]).name, "scale": r.scale, "zero_point": r.zero_point}
            for name, (t, r) in found.items()
            if r is not None
        }

    @property
    def batch_size(self):
        """How many items the file takes at once."""
        return int(next(iter(self.inputs.values()))["shape"][0])

    def _batch(self, arrays, items):
        """Runs some items; those that are missing in a batch are copies of the last one."""
        for name, tensor in self.inputs.items():
            given = _as_taken(np.asarray(arrays[name][items]), tensor)
            missing = tensor["shape"][0] - len(given)
            given = np.concatenate([given, np.repeat(given[-1:], missing, axis=0)]) if missing else given
            self.interpreter.set_tensor(tensor["index"], given)
        with _failures():
            self.interpreter.invoke()
        count = len(next(iter(arrays.values()))[items])
        return {name: self._value(tensor)[:count] for name, tensor in self.outputs.items()}

    def _value(self, tensor):
        found, rounding = self.interpreter.get_tensor(tensor["index"]), Rounding.at_end(tensor)
        return found if rounding is None else rounding.decoded(found)


@contextlib.contextmanager
def _failures():
    try:
        yield
    except RuntimeError as error:
        raise ConditionError(f"LiteRT cannot run the file: {first_line(error)}") from error


def _as_taken(array, tensor):
    shape, dtype, rounding = tensor["shape"], tensor["dtype"], Rounding.at_end(tensor)
    if rounding is None:
        return as_taken(array, shape, dtype)
    return rounding.encoded(as_taken(array, shape, np.float32)).astype(dtype)


def _names(content):
    """The names of inputs and of outputs, each a dict to indices of tensors."""
    model = schema.Model.GetRootAs(content)
    if not model.SignatureDefsLength():
        return None, None
    signature = next(
        s for i in range(model.SignatureDefsLength()) if (s := model.SignatureDefs(i)).SubgraphIndex() == 0
    )
    inputs = [signature.Inputs(i) for i in range(signature.InputsLength())]
    outputs = [signature.Outputs(i) for i in range(signature.OutputsLength())]
    return tuple({m.Name().decode(): m.TensorIndex() for m in maps} for maps in (inputs, outputs))


def _named(details, names):
    by_index = {tensor["index"]: tensor for tensor in details}
    if names is None:
        return {tensor["name"]: tensor for tensor in details}
    if missing := [name for name, index in names.items() if index not in by_index]:
        raise ConditionError(f"the file does not have what its signature calls {listed(missing)}")
    return {name: by_index[index] for name, index in names.items()}
