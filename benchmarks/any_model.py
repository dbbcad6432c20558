"""Exports models as people write them, in all variants, and shows what became of each next to plain Keras.

    python benchmarks/any_model.py [WORD ...] > docs/results/any_model.md

It takes some 12 minutes on one core.

A cell is `right` (the file was verified and stays), `refused` (there is no file,
and a line says why) or `WRONG`: the file stays, but its outputs, computed here by the Interpreter or
TensorFlow alone, are not the model's own. For float32 that is a difference above 1e-4 of the largest value,
for other variants an error above a tenth of the outputs' spread over the items, which is what an export
allows without labels. The weights are random, so that int8 loses more than of trained models. Plain Keras is
`model.export(format="litert")`, whose file is run in the same way; it may contain TensorFlow operators, which
LiteRT alone does not run (`Flex`).
"""

import contextlib
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "any_model")]

import keras  # noqa: E402
import numpy as np  # noqa: E402
from models_of_others import CASES, built  # noqa: E402

from keras_vit import ConditionError, InputError  # noqa: E402
from keras_vit.errors import first_line  # noqa: E402
from keras_vit.export import export_model, load_predictor  # noqa: E402
from keras_vit.export.tasks.agreement import spread_of  # noqa: E402
from keras_vit.export.tflite.named import NamedInterpreter  # noqa: E402
from keras_vit.export.variants import FILES  # noqa: E402

VARIANTS = ("savedmodel", "fp32", "fp16", "dynamic_int8", "full_int8")
LIMITS = {"savedmodel": 1e-4, "fp32": 1e-4}  # of the largest value
ERROR = 0.101  # of the spread, of other variants: what an export allows, and a rounding
LOW = 0.05  # of the largest value: models that compute with few bits themselves


def main():
    words = sys.argv[1:]
    rows, notes = [], []
    for name, case in CASES.items():
        if words and not any(word in name for word in words):
            continue
        cells, reasons = tried(case)
        rows.append([name, plain_keras(case), *cells])
        notes += [f"- {name}: {reason}" for reason in dict.fromkeys(reasons)]
        print(rows[-1], file=sys.stderr, flush=True)
    title, _, explanation = __doc__.partition("\n\n    python")
    print(
        f"# Models as people write them\n\n{title}{explanation[explanation.index('A cell') - 2 :]}".rstrip()
    )
    print("\n`python benchmarks/any_model.py > docs/results/any_model.md` writes this page.")
    print(f"\n| model | plain Keras, LiteRT | {' | '.join(VARIANTS)} |\n|{' --- |' * (2 + len(VARIANTS))}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\n{summary(rows)}\n\nReasons of refusals:\n")
    print("\n".join(notes))


def summary(rows):
    cells = [cell for row in rows for cell in row[2:]]
    counts = {word: sum(cell == word for cell in cells) for word in ("right", "refused", "WRONG")}
    plain = sum(row[1] == "right" for row in rows)
    return (
        f"{len(rows)} models: {', '.join(f'{count} cells {word}' for word, count in counts.items())}. "
        f"Plain Keras: {plain} files right."
    )


def tried(case):
    """Returns a cell per variant, and the reasons of refusals."""
    model, inputs = built(case)
    expected, rows = outputs_of(model, inputs, case), []
    options = {name: value for name, value in case.options.items() if name != "labels"}  # which are random
    with tempfile.TemporaryDirectory() as folder:
        try:
            with warnings.catch_warnings(action="ignore"):
                given = {"inputs": inputs, "calibration": inputs, **options}
                export_model(model, folder, variants=VARIANTS, report=rows.extend, **given)
        except InputError as error:
            return ["refused"] * len(VARIANTS), [first_line(error)]
        except ConditionError:
            pass  # the rows say which variants are refused
        cells = [cell_of(row, Path(folder), inputs, expected, case) for row in rows]
    return cells, [f"{row['variant']} {row['failure']}" for row in rows if row["failure"]]


def cell_of(row, folder, inputs, expected, case):
    if not row["passed"]:
        return "refused"
    found = load_predictor(folder / FILES[row["variant"]]).outputs(inputs)
    limit = limit_of(row["variant"], case)
    pairs = zip(expected, found.values(), strict=True)
    return "right" if all(like(*pair, limit) for pair in pairs) else "WRONG"


def plain_keras(case):
    model, inputs = built(case)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        try:
            with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings(action="ignore"):
                model.export(path, format="litert", verbose=False)
            opened = NamedInterpreter(path)
            arrays = dict(zip(opened.inputs, keras.tree.flatten(inputs), strict=True))
            arrays = {name: np.asarray(a).astype(opened.inputs[name]["dtype"]) for name, a in arrays.items()}
            found = list(opened.run(arrays).values())
        except Exception as error:  # whatever Keras, the converter and the Interpreter raise
            return "Flex" if "Flex" in str(error) else "fails"
        expected = outputs_of(model, inputs, case, activated=False)
        fits = len(expected) == len(found) and all(any(like(e, f, 1e-3) for f in found) for e in expected)
        return "right" if fits else "WRONG"


def outputs_of(model, inputs, case, activated=True):
    """The model's own outputs in float32, flat; none where it cannot be called."""
    try:
        values = keras.tree.flatten(model.predict(inputs, verbose=0))
    except Exception:  # a model that is to be refused
        return []
    values = [np.asarray(keras.ops.cast(value, "float32")) for value in values]
    if activated and "activation" in case.options:
        values = [np.asarray(keras.ops.softmax(value)) for value in values]
    return values


def limit_of(variant, case):
    low = "bfloat16" in case.name or "int8" in case.name
    return LOW if low and variant in LIMITS else LIMITS.get(variant)


def like(expected, found, limit):
    """Whether outputs are the model's: within a part of the largest value, or of the spread without limit."""
    if expected.shape != found.shape:
        return False
    difference = np.abs(found.astype("float64") - expected)
    if limit is None:
        return np.sqrt(np.mean(difference**2)) <= ERROR * spread_of(expected)
    return difference.max() <= limit * np.abs(expected).max()


if __name__ == "__main__":
    main()
