"""Opens any TFLite file, to measure it, and silences what LiteRT prints when it opens the first one."""

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

_PLAIN = {
    "experimental_op_resolver_type": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "experimental_preserve_all_tensors": True,
}


def open_interpreter(file: bytes | Path, num_threads: int = 1, plain: bool = False) -> Interpreter:
    """Returns an interpreter that is ready to run, with values in its inputs.

    Floats are random in [0, 1]; integers are 0, which every table of embeddings has. A plain one has no
    delegate and keeps the values of all tensors.
    """
    source = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
    interpreter = Interpreter(**source, num_threads=num_threads, **(_PLAIN if plain else {}))
    interpreter.allocate_tensors()
    random = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        kind, shape = np.dtype(tensor["dtype"]), tensor["shape"]
        numbers = np.asarray(random.random(shape)) if kind.kind == "f" else np.zeros(shape)
        interpreter.set_tensor(tensor["index"], numbers.astype(kind))
    return interpreter


def flush_xnnpack_banner():
    """Makes LiteRT print now, while the caller discards it, that it has created its XNNPACK delegate.

    It does so once per process, and no option silences it.
    """
    Interpreter(model_content=_smallest_file()).allocate_tensors()


def _smallest_file():
    absolute = schema.BuiltinOperator.ABS
    number = schema.TensorT(shape=[1], type=schema.TensorType.FLOAT32)
    operator = schema.OperatorT(opcodeIndex=0, inputs=[0], outputs=[1])
    graph = schema.SubGraphT(tensors=[number, number], inputs=[0], outputs=[1], operators=[operator])
    code = schema.OperatorCodeT(builtinCode=absolute, deprecatedBuiltinCode=absolute)
    model = schema.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=[schema.BufferT()])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
