"""Exports a model in several variants, each verified and measured before it gets its name."""

import platform
import shutil
import statistics
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from export.inference_model import inference_model
from export.predictor import saved_model_predictor, tflite_predictor
from export.saved_model import write_saved_model
from export.tflite import write_tflite
from export.verify import compare
from keras_vit.errors import ConditionError, InputError
from keras_vit.files import atomic_path, write_json, write_text

FILES = {
    "savedmodel": "saved_model",
    "fp32": "model_fp32.tflite",
    "fp16": "model_fp16.tflite",
    "dynamic_int8": "model_dynamic_int8.tflite",
}
# The same float32 arithmetic in another order: a probability moves by some roundings of 6e-8 in each of
# some hundred sums. 1e-4 is far above what was seen (1e-6) and far below what any mistake would give.
FLOAT32_TOLERANCE = 1e-4
LATENCY_RUNS = 30


def export_model(
    model, label_names, images, labels, folder, *, variants=tuple(FILES), max_drop=0.5, report=None
):
    """Writes a model's variants, and keeps those that do on held-out images what the model does.

    Args:
        model: trained `keras.Model` that gives logits.
        label_names: sequence of str, one per class.
        images: uint8 `(n, height, width, channels)`, not used in training.
        labels: int `(n,)`.
        folder: str or Path. Gets the files, `labels.txt` and `export.json`.
        variants: which of `savedmodel`, `fp32`, `fp16`, `dynamic_int8`.
        max_drop: float, points of accuracy that a variant may lose.
        report: called with the rows when all variants were tried, before any error.

    Returns:
        A list of dicts, one per variant, as in `export.json`; sizes in bytes, latency in milliseconds for
        one image on one thread.

    Raises:
        InputError: unknown variant, labels that do not fit the model, or a folder that cannot be written.
        ConditionError: some variant failed; it has left no file, the others stand.
    """
    _check(model, label_names, images, labels, variants)
    folder = Path(folder)
    shipped = inference_model(model)
    reference = shipped.predict(images, batch_size=64, verbose=0)
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in label_names))
    rows = [
        _export_one(variant, shipped, label_names, images, labels, reference, folder, max_drop)
        for variant in variants
    ]
    write_json(folder / "export.json", {"versions": _versions(), "max_drop": max_drop, "variants": rows})
    if report:
        report(rows)
    failed = [f"{row['variant']} ({row['failure']})" for row in rows if row["failure"]]
    if failed:
        raise ConditionError(f"Not exported: {'; '.join(failed)}. See {folder / 'export.json'}.")
    return rows


def _check(model, label_names, images, labels, variants):
    unknown = [variant for variant in variants if variant not in FILES]
    if unknown:
        raise InputError(f"Unknown variant {unknown[0]!r}. Expected one of {', '.join(FILES)}.")
    if len(model.inputs) != 1 or None in model.input_shape[1:] or len(model.input_shape) != 4:
        raise InputError(f"Expected a model of one image input of fixed size, received {model.input_shape}.")
    if model.output_shape[-1] != len(label_names):
        raise InputError(
            f"Expected one label per output: the model has {model.output_shape[-1]} outputs, received "
            f"{len(label_names)} labels."
        )
    if not len(images) or len(images) != len(labels) or images.shape[1:] != model.input_shape[1:]:
        raise InputError(
            f"Expected held-out images {model.input_shape[1:]} with one label each, received images "
            f"{images.shape} and {len(labels)} labels."
        )


def _export_one(variant, model, label_names, images, labels, reference, folder, max_drop):
    final = folder / FILES[variant]
    row = {"variant": variant, "file": FILES[variant], "failure": None}
    try:
        with atomic_path(final) as temporary:
            predictor = _write(variant, model, label_names, temporary)
            row.update(_measure(predictor, images, labels, reference), size=_size(temporary))
            _judge(row, variant, max_drop)
    except ConditionError as error:
        row["failure"] = str(error)
        _remove(final)
    return row


def _write(variant, model, label_names, path):
    if variant == "savedmodel":
        write_saved_model(model, label_names, path)
        return saved_model_predictor(path)
    write_tflite(model, variant, path)
    return tflite_predictor(path)


def _measure(predictor, images, labels, reference):
    verification = compare(reference, predictor.probabilities(images), labels)
    times = []
    for _ in range(LATENCY_RUNS):
        started = time.perf_counter()
        predictor.probabilities(images[:1])
        times.append(1000 * (time.perf_counter() - started))
    return {
        "num_images": verification.num_images,
        "reference_accuracy": verification.reference_accuracy,
        "accuracy": verification.accuracy,
        "drop": verification.drop,
        "top1_agreement": verification.top1_agreement,
        "max_probability_difference": verification.max_probability_difference,
        "latency_ms": statistics.median(times),
    }


def _judge(row, variant, max_drop):
    if row["drop"] > max_drop:
        raise ConditionError(f"lost {row['drop']:.2f} points of accuracy, allowed are {max_drop:g}")
    if variant in ("savedmodel", "fp32") and row["max_probability_difference"] > FLOAT32_TOLERANCE:
        raise ConditionError(
            f"differs from the model by {row['max_probability_difference']:.1e} in a probability, float32 "
            f"arithmetic allows {FLOAT32_TOLERANCE:.0e}"
        )


def _size(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _versions():
    from importlib.metadata import version

    return {
        "tensorflow": tf.__version__,
        "keras": keras.version(),
        "ai_edge_litert": version("ai-edge-litert"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
