"""Runs a TFLite file once on zeros: a classifier of images, or each signature of a text model."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

SIGNATURES = {"generate", "score", "step"}  # of a text model


def run(file, kind):
    interpreter = Interpreter(file)
    foreign = foreign_operators(Path(file).read_bytes())
    if foreign:
        sys.exit(f"error: it needs operators that LiteRT does not have: {', '.join(foreign)}")
    {"images": _run_classifier, "text": _run_signatures}[kind](interpreter)


def foreign_operators(content):
    """The custom and Flex operators in the bytes of a TFLite file."""
    model = schema.Model.GetRootAs(content)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    custom = schema.BuiltinOperator.CUSTOM
    return [code.CustomCode().decode() for code in codes if code.BuiltinCode() == custom]


def _run_classifier(interpreter):
    interpreter.allocate_tensors()
    inside, outside = interpreter.get_input_details(), interpreter.get_output_details()
    if not _is_classifier(inside, outside):
        found = [(str(tensor["shape"]), tensor["dtype"].__name__) for tensor in inside + outside]
        sys.exit(f"error: expected images in and a float32 row of classes for each out, found {found}")
    interpreter.set_tensor(inside[0]["index"], np.zeros(inside[0]["shape"], inside[0]["dtype"]))
    interpreter.invoke()


def _is_classifier(inside, outside):
    """Whether inputs are images, and outputs a row of classes for each and perhaps an attention map."""
    ranks = sorted(len(tensor["shape"]) for tensor in outside)
    if len(inside) != 1 or ranks not in ([2], [2, 3]):
        return False
    images = inside[0]
    fitting = images["dtype"] in (np.float32, np.uint8) and all(t["dtype"] is np.float32 for t in outside)
    batches = {tensor["shape"][0] for tensor in outside}
    return fitting and len(images["shape"]) == 4 and batches == {images["shape"][0]}


def _run_signatures(interpreter):
    found = set(interpreter.get_signature_list())
    if found != SIGNATURES:
        sys.exit(f"error: expected the signatures {sorted(SIGNATURES)}, found {sorted(found)}")
    for name in sorted(found):
        runner = interpreter.get_signature_runner(name)
        details = runner.get_input_details()
        runner(**{key: np.zeros(tensor["shape"], tensor["dtype"]) for key, tensor in details.items()})
