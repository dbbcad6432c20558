"""A TFLite file as objects: reads it, writes it, and lists its operators."""

import dataclasses
import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

ALIGNMENT = 16  # bytes, of each buffer: the schema's force_align
_KINDS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_TYPES = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}


@dataclasses.dataclass(frozen=True)
class Operator:
    """One operator of a file; inputs and outputs are numbers of tensors, without those that are absent."""

    kind: str  # such as "FULLY_CONNECTED"; of a custom one its own name, such as "FlexErf"
    name: str  # of its first output's tensor
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    types: frozenset[str]  # of inputs and outputs, such as {"FLOAT32", "INT8"}
    is_custom: bool


def read_graph(content: bytes) -> schema.ModelT:
    """Returns a TFLite file as the schema's object, with all weights in it."""
    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def write_graph(model):
    """Returns the bytes of a TFLite file, the reverse of `read_graph`."""
    model.buffers = [_AlignedBuffer(buffer) for buffer in model.buffers]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operators(model):
    """Returns the operators of a `ModelT`'s first subgraph, as a list in execution order."""
    graph = model.subgraphs[0]
    return [_operator(model, graph, operator) for operator in graph.operators]


def computing(model):
    """Returns pairs of an `OperatorT` and its description, without those that only convert to other types."""
    pairs = zip(model.subgraphs[0].operators, operators(model), strict=True)
    return [(operator, found) for operator, found in pairs if found.kind not in ("QUANTIZE", "DEQUANTIZE")]


def end_names(model):
    """Returns the names of the first subgraph's inputs, and of its outputs, two lists in their order.

    Those of its signature; of a file without one, those of the tensors. One tensor may be at several ends, as
    where a model returns its input.
    """
    graph = model.subgraphs[0]
    maps = next(((s.inputs, s.outputs) for s in model.signatureDefs or () if not s.subgraphIndex), ((), ()))
    found = []
    for indices, entries in zip((graph.inputs, graph.outputs), maps, strict=True):
        left, names = list(entries or ()), []
        for index in indices:
            entry = next((entry for entry in left if entry.tensorIndex == index), None)
            names.append((entry or graph.tensors[index]).name.decode())
            left = [other for other in left if other is not entry]
        found.append(names)
    return tuple(found)


def is_constant(model, tensor):
    """Whether a `TensorT` has its values in the file."""
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def type_name(tensor):
    """Returns the type of a `TensorT`, such as `"FLOAT32"`."""
    return _TYPES[tensor.type]


def integer_share(model) -> float:
    """Returns the share of a `ModelT`'s constant numbers that int8 or int4 stand for, from 0 to 1.

    Biases, which have 32 bits, shapes and indices count on neither side.
    """
    counts = {"integers": 0, "floats": 0}
    kinds = {"INT8": "integers", "INT4": "integers", "FLOAT32": "floats", "FLOAT16": "floats"}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if type_name(tensor) in kinds and is_constant(model, tensor):
                counts[kinds[type_name(tensor)]] += math.prod(map(int, tensor.shape))
    return counts["integers"] / max(sum(counts.values()), 1)


def _operator(model, graph, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    is_custom = builtin == schema.BuiltinOperator.CUSTOM
    inputs = tuple(int(tensor) for tensor in operator.inputs if tensor >= 0)
    outputs = tuple(int(tensor) for tensor in operator.outputs)
    return Operator(
        kind=code.customCode.decode() if is_custom else _KINDS[builtin],
        name=graph.tensors[outputs[0]].name.decode() if outputs else "",
        inputs=inputs,
        outputs=outputs,
        types=frozenset(type_name(graph.tensors[tensor]) for tensor in inputs + outputs),
        is_custom=is_custom,
    )


class _AlignedBuffer(schema.BufferT):
    """A buffer that is aligned: the schema's Python code ignores `force_align`."""

    def __init__(self, buffer):
        super().__init__()
        vars(self).update(vars(buffer))

    def Pack(self, builder):  # noqa: N802  the schema's name
        if self.data is None or not len(self.data):
            return schema.BufferT().Pack(builder)
        data = np.asarray(self.data, "uint8").tobytes()
        builder.StartVector(1, len(data), ALIGNMENT)
        builder.head = builder.head - len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        vector = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)
