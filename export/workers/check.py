"""Runs a TFLite file once, or each signature of a model of text or of pairs of texts."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from keras_vit.export.tflite.named import NamedInterpreter

SIGNATURES = {  # by the kind of file
    "text": {"generate", "score", "step"},
    "pairs": {"encode", "step"},
}


def run(file, kind, values=None):
    """Checks a file; `values` are those of its inputs by name, by default 0."""
    interpreter = Interpreter(file)
    foreign = foreign_operators(Path(file).read_bytes())
    if foreign:
        sys.exit(f"error: it needs operators that LiteRT does not have: {', '.join(foreign)}")
    if kind in SIGNATURES:
        _run_signatures(interpreter, SIGNATURES[kind])
    else:
        _run_once(interpreter, NamedInterpreter(file), values or {})


def foreign_operators(content):
    """The custom and Flex operators in the bytes of a TFLite file."""
    model = schema.Model.GetRootAs(content)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    custom = schema.BuiltinOperator.CUSTOM
    return [code.CustomCode().decode() for code in codes if code.BuiltinCode() == custom]


def _run_once(interpreter, opened, values):
    names = sorted(interpreter.get_signature_list())
    if len(names) > 1:
        sys.exit(f"error: expected one signature, found {', '.join(names)}")
    tensors = [*opened.inputs.values(), *opened.outputs.values()]
    batches = {int(tensor["shape"][0]) if len(tensor["shape"]) else 0 for tensor in tensors}
    if len(batches) != 1 or min(batches) < 1:
        shapes = ", ".join(str(tensor["shape"].tolist()) for tensor in tensors)
        sys.exit(f"error: expected inputs and outputs of one batch, found {shapes}")
    opened.run(
        {name: np.full(tensor["shape"], values.get(name, 0)) for name, tensor in opened.inputs.items()}
    )


def _run_signatures(interpreter, expected):
    found = set(interpreter.get_signature_list())
    if found != expected:
        sys.exit(f"error: expected the signatures {sorted(expected)}, found {sorted(found)}")
    for name in sorted(found):
        runner = interpreter.get_signature_runner(name)
        details = runner.get_input_details()
        runner(**{key: np.zeros(tensor["shape"], tensor["dtype"]) for key, tensor in details.items()})
