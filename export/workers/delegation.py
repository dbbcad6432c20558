"""Finds the operators of a TFLite file that run in TFLite's own kernels and not in the XNNPACK delegate.

It opens the file, which may crash the runtime.
"""

from pathlib import Path

from keras_vit.export.tflite.graph import Operator, operators, read_graph
from keras_vit.export.tflite.interpreter import open_interpreter


def run(file):
    """Returns the numbers of those operators."""
    content = Path(file).read_bytes()
    found = operators(read_graph(content))
    _, outside = delegation(content, found)
    return [found.index(operator) for operator in outside]


def delegation(content: bytes, operators: list[Operator]) -> tuple[int, list[Operator]]:
    """Returns the number of the delegate's partitions in a file, and the operators outside of them."""
    details = open_interpreter(content)._get_ops_details()  # the public API lists no operators
    delegates = [detail for detail in details if detail["op_name"] == "DELEGATE"]
    producer = {tensor: operator for operator in operators for tensor in operator.outputs}
    inside = set()
    for delegate in delegates:
        inside |= _between(delegate, producer)
    return len(delegates), [operator for operator in operators if operator not in inside]


def _between(delegate, producer):
    """The operators that lead from a partition's inputs to its outputs."""
    inputs, waiting = set(map(int, delegate["inputs"])), list(map(int, delegate["outputs"]))
    found = set()
    while waiting:
        operator = producer.get(waiting.pop())
        if operator and operator not in found:
            found.add(operator)
            waiting += [tensor for tensor in operator.inputs if tensor not in inputs]
    return found
