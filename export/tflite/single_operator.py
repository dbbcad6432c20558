"""One operator of a TFLite file as a file of its own, to compute it for other inputs or weights."""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from keras_vit.export.tflite.graph import is_constant, write_graph


def single_operator(model, operator, constants):
    """Returns a function from the arrays of an `OperatorT`'s other inputs to its first output.

    `constants` is a dict from the number of a tensor to the array that it has instead of the file's. Only
    the first subgraph's operators, on one thread.
    """
    tensors, buffers = [], [schema.BufferT()]
    numbers = {}  # in the model: in the new file
    for number in [int(n) for n in (*operator.inputs, *operator.outputs) if n >= 0]:
        if number not in numbers:
            numbers[number] = len(tensors)
            tensors.append(_tensor(model, number, constants, buffers))
    alone = copy.copy(operator)
    alone.opcodeIndex = 0
    alone.inputs = [numbers.get(int(n), -1) for n in operator.inputs]
    alone.outputs = [numbers[int(n)] for n in operator.outputs]
    given = [n for n in dict.fromkeys(alone.inputs) if n >= 0 and not tensors[n].buffer]
    graph = schema.SubGraphT(tensors=tensors, inputs=given, outputs=alone.outputs, operators=[alone])
    codes = [model.operatorCodes[operator.opcodeIndex]]
    content = write_graph(schema.ModelT(version=3, operatorCodes=codes, subgraphs=[graph], buffers=buffers))
    return _runner(content)


def _tensor(model, number, constants, buffers):
    tensor = copy.copy(model.subgraphs[0].tensors[number])
    data = model.buffers[tensor.buffer].data if is_constant(model, tensor) else None
    if number in constants:
        data = np.frombuffer(np.ascontiguousarray(constants[number]).tobytes(), "uint8")
    tensor.buffer = 0
    if data is not None:
        tensor.buffer = len(buffers)
        buffers.append(schema.BufferT(data=data))
    return tensor


def _runner(content):
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    inside, (outside, *_) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(*arrays):
        for tensor, array in zip(inside, arrays, strict=True):
            interpreter.set_tensor(tensor["index"], array)
        interpreter.invoke()
        return interpreter.get_tensor(outside["index"])

    return run
