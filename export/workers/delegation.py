"""Opens a TFLite file, which may crash the runtime, to find the operators that XNNPACK does not run."""

from pathlib import Path

from keras_vit.export.tflite.delegation import delegation
from keras_vit.export.tflite.graph import operators, read_graph


def run(file):
    """Returns the numbers of those operators."""
    content = Path(file).read_bytes()
    found = operators(read_graph(content))
    _, outside = delegation(content, found)
    return [found.index(operator) for operator in outside]
