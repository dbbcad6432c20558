"""Runs each signature of a text model's TFLite file once on zeros: `python check.py FILE.tflite`."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

sys.path.append(str(Path(__file__).parents[3]))  # last: nothing is to stand in for an installed package
from keras_vit.export.tflite_check import foreign_operators  # noqa: E402

SIGNATURES = {"generate", "score", "step"}


def main():
    path = Path(sys.argv[1])
    interpreter = Interpreter(str(path))
    foreign = foreign_operators(path.read_bytes())
    if foreign:
        sys.exit(f"error: it needs operators that LiteRT does not bring: {', '.join(foreign)}")
    found = set(interpreter.get_signature_list())
    if found != SIGNATURES:
        sys.exit(f"error: expected the signatures {sorted(SIGNATURES)}, found {sorted(found)}")
    for name in sorted(found):
        runner = interpreter.get_signature_runner(name)
        details = runner.get_input_details()
        runner(**{key: np.zeros(tensor["shape"], tensor["dtype"]) for key, tensor in details.items()})


if __name__ == "__main__":
    main()
