"""Tries a model's variants and keeps the fastest that does what the model does."""

import os
import tempfile
from pathlib import Path

from keras_vit.errors import ConditionError
from keras_vit.export.variants import CANDIDATES, FILES, VARIANTS
from keras_vit.export.verification.record import SAVED_MODEL_MARK, remove
from keras_vit.io.files import atomic_path

# A file that answers otherwise on more images is another model, whose accuracy is as good by luck.
LEAST_AGREEMENT = 0.97
SAME = 1.03  # latencies whose ratio is below this are equal: they differ as much from run to run


def choose(attempt, quantization, folder, named=()):
    """Tries all candidates, and again without their worst layers those that lose too much accuracy.

    Args:
        attempt: callable `(variant, folder, float_operators=()) -> row` that writes and verifies a variant,
            with `time_in_turn(rows)`; as in `keras_vit.export.images.export_images`.
        quantization: `keras_vit.export.tflite.writer.TfliteWriter`.
        folder: Path. Gets the file of the variant that is chosen.
        named: rows of variants that were asked for by name; their files stay. Where the fastest is one of
            them, it gets `kept`.

    Returns:
        The rows of all candidates that are not among `named`, each with `kept`.
    """
    candidates = [variant for variant in CANDIDATES if variant not in [row["variant"] for row in named]]
    rivals = [row for row in named if row["variant"] in CANDIDATES and row["passed"] and _agrees(row)]
    with tempfile.TemporaryDirectory(prefix=".auto-", dir=folder) as place:
        place = Path(place)
        rows = [_agreeing(attempt(variant, place)) for variant in candidates]
        attempt.time_in_turn(rivals + rows)
        best = fastest(rivals + rows)
        rows = [_mended(row, best, attempt, quantization, place) for row in rows]
        attempt.time_in_turn(rivals + rows)
        keep_fastest(rows, rivals, place, folder)
    return rows


def fastest(rows):
    """Returns the fastest of the rows that passed, of equally fast ones the smallest file; or None."""
    passed = [row for row in rows if row["passed"]]
    if not passed:
        return None
    limit = SAME * min(row["latency_ms"] for row in passed)
    return min((row for row in passed if row["latency_ms"] <= limit), key=lambda row: row["size"])


def keep_fastest(rows, rivals, place, folder):
    """Moves the file of the fastest row to its name and marks it, unless a rival is faster, which is marked.

    Args:
        rows: dicts of candidates, whose files lie in `place`. Each gets `kept`.
        rivals: dicts of variants whose files lie in `folder` already, and stay.
        place: Path.
        folder: Path.
    """
    best = fastest(rivals + rows)
    for row in rows:
        row["kept"] = row is best
        _remove_or_keep(row, place, folder)
    if best:
        best["kept"] = True


def _remove_or_keep(row, place, folder):
    """Moves the file that is kept to its name; a file of an earlier export under another's name goes."""
    final = folder / FILES[row["variant"]]
    if row["kept"]:
        with atomic_path(final, mark=SAVED_MODEL_MARK) as temporary:
            os.replace(place / final.name, temporary)
    else:
        remove(final)


def _agreeing(row):
    """Lets a row fail whose file is another model."""
    if row["passed"] and not _agrees(row):
        row["passed"] = False
        row["failure"] = (
            f"answers as the model on {100 * row['top1_agreement']:.1f} % of the images, auto asks for "
            f"{100 * LEAST_AGREEMENT:g} %"
        )
    return row


def _agrees(row):
    return row["top1_agreement"] >= LEAST_AGREEMENT


def _mended(row, best, attempt, quantization, place):
    """The row of a variant that was fast but lost too much, with its worst layers left in float."""
    if not _is_worth_mending(row, best):
        return row
    try:
        layers = [layer for layer in quantization.sensitivity(row["variant"]) if layer["divergence"] > 0]
    except ConditionError:
        return row
    count = 1
    while count <= len(layers) // 2:
        worst = layers[:count]
        names = [name for layer in worst for name in layer["operators"]]
        again = _agreeing(attempt(row["variant"], place, names))
        again["float_layers"] = [layer["layer"] for layer in worst]
        again["drop_with_all_layers"] = row["drop"]
        if again["passed"]:
            return again
        count *= 2
    return row


def _is_worth_mending(row, best):
    missed = not row["passed"] and "accuracy" in row and VARIANTS[row["variant"]].rules
    return missed and (best is None or row["latency_ms"] < best["latency_ms"])
