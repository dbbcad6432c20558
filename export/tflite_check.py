"""Runs a TFLite file once on a black image: `python -m export.tflite_check FILE.tflite`."""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main():
    interpreter = Interpreter(sys.argv[1])
    interpreter.allocate_tensors()
    (inside,), (outside,) = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inside["shape"]) != 4 or inside["dtype"] != np.float32 or len(outside["shape"]) != 2:
        sys.exit(
            f"expected one float32 image in and one row out, found {inside['shape']}, {outside['shape']}"
        )
    interpreter.set_tensor(inside["index"], np.zeros(inside["shape"], "float32"))
    interpreter.invoke()


if __name__ == "__main__":
    main()
