"""Runs a TFLite file once on a black image: `python tflite_check.py FILE.tflite`."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter


def main():
    path = Path(sys.argv[1])
    interpreter = Interpreter(str(path))
    foreign = foreign_operators(path.read_bytes())
    if foreign:
        sys.exit(f"error: it needs operators that LiteRT does not bring: {', '.join(foreign)}")
    interpreter.allocate_tensors()
    inside, outside = interpreter.get_input_details(), interpreter.get_output_details()
    if not _is_classifier(inside, outside):
        found = [(str(tensor["shape"]), tensor["dtype"].__name__) for tensor in inside + outside]
        sys.exit(f"error: expected images in and a float32 row of classes for each out, found {found}")
    interpreter.set_tensor(inside[0]["index"], np.zeros(inside[0]["shape"], inside[0]["dtype"]))
    interpreter.invoke()


def foreign_operators(content):
    """The custom and Flex operators in the bytes of a TFLite file."""
    model = schema.Model.GetRootAs(content)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    custom = schema.BuiltinOperator.CUSTOM
    return [code.CustomCode().decode() for code in codes if code.BuiltinCode() == custom]


def _is_classifier(inside, outside):
    """Whether images go in, and for each a row of classes and perhaps a map of attention come out."""
    kinds = sorted(len(tensor["shape"]) for tensor in outside)
    if len(inside) != 1 or kinds not in ([2], [2, 3]):
        return False
    images = inside[0]
    fitting = images["dtype"] in (np.float32, np.uint8) and all(t["dtype"] is np.float32 for t in outside)
    batches = {tensor["shape"][0] for tensor in outside}
    return fitting and len(images["shape"]) == 4 and batches == {images["shape"][0]}


if __name__ == "__main__":
    main()
