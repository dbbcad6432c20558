"""Which operators of a TFLite file run in the XNNPACK delegate, and which in TFLite's own kernels."""

from keras_vit.export.tflite.interpreter import open_interpreter


def delegation(content, operators):
    """Returns the number of the delegate's partitions, and the operators outside of them.

    Args:
        content: bytes of a TFLite file that runs.
        operators: list of `keras_vit.export.tflite.graph.Operator`, the file's.

    Returns:
        `(partitions, outside)`: int and a list of `Operator`.
    """
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
