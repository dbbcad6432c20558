"""LiteRT prints to standard error, once per process, that it has created its XNNPACK delegate."""

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils


def flush_xnnpack_banner():
    """Makes LiteRT print that line now, while the caller discards it: no option silences it."""
    Interpreter(model_content=_smallest_file()).allocate_tensors()


def _smallest_file():
    absolute = schema.BuiltinOperator.ABS
    number = schema.TensorT(shape=[1], type=schema.TensorType.FLOAT32)
    operator = schema.OperatorT(opcodeIndex=0, inputs=[0], outputs=[1])
    graph = schema.SubGraphT(tensors=[number, number], inputs=[0], outputs=[1], operators=[operator])
    code = schema.OperatorCodeT(builtinCode=absolute, deprecatedBuiltinCode=absolute)
    model = schema.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=[schema.BufferT()])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
