"""Tries a model's variants and keeps the fastest whose outputs match the model's."""

import os
import tempfile
from pathlib import Path

from keras_vit.errors import ConditionError
from keras_vit.export.variants import FILES, SAVED_MODEL_MARK, VARIANTS
from keras_vit.export.verification.record import remove
from keras_vit.io.files import atomic_path

SAME = 1.03  # latencies with a smaller ratio are equal: they differ as much from run to run


def choose(attempt, candidates: list[str], folder: Path, named=()) -> list[dict]:
    """Tries all candidates; those that lose too much also with their worst layers quantized less.

    The folder gets the file of the chosen variant. `named` are the rows of variants requested by name: their
    files stay, and the fastest may be one of them. Returns the candidates' rows, each with
    `kept`.
    """
    other_candidates = [
        row
        for row in named
        if row["passed"] and _agrees(row, attempt) and not VARIANTS[row["variant"]].not_auto
    ]
    with tempfile.TemporaryDirectory(prefix=".auto-", dir=folder) as place:
        place = Path(place)
        rows = [_fail_unless_agreeing(attempt(variant, place), attempt) for variant in candidates]
        attempt.time(other_candidates + rows)
        best = fastest(other_candidates + rows)
        retried = [retry_with_spared_layers(row, best, attempt, place) for row in rows]
        if retried != rows:
            attempt.time(other_candidates + retried)
        _keep_fastest(retried, other_candidates, place, folder)
    return retried


def fastest(rows):
    """Returns the fastest of the rows that passed, of equally fast ones the smallest file; or None."""
    passed = [row for row in rows if row["passed"]]
    if not passed:
        return None
    limit = SAME * min(row["latency_ms"] for row in passed)
    return min((row for row in passed if row["latency_ms"] <= limit), key=lambda row: row["size"])


def retry_with_spared_layers(row, best, attempt, place):
    """Returns the row of a variant that was fast but lost too much, with its worst layers quantized less."""
    if not _is_worth_retrying(row, best):
        return row
    try:
        layers = [layer for layer in attempt.sensitivity(row["variant"]) if layer["error"] > 0]
    except ConditionError:
        return row
    count = 1
    while count <= len(layers) // 2:
        worst = layers[:count]
        spared = [rule for layer in worst for rule in layer["spared"]]
        again = _fail_unless_agreeing(attempt(row["variant"], place, spared), attempt)
        again["spared_layers"] = [layer["layer"] for layer in worst]
        again["drop_with_all_layers"] = row["drop"]
        if again["passed"]:
            return again
        count *= 2
    return row


def _is_worth_retrying(row, best):
    failed = not row["passed"] and "size" in row and VARIANTS[row["variant"]].rules
    return failed and (best is None or row["latency_ms"] < best["latency_ms"])


def _keep_fastest(rows, other_candidates, place, folder):
    """Moves the file of the fastest row to its name and marks it, unless one of the others is faster."""
    best = fastest(other_candidates + rows)
    for row in rows:
        row["kept"] = row is best
        final = folder / FILES[row["variant"]]
        if row["kept"]:
            with atomic_path(final, mark=SAVED_MODEL_MARK) as temporary:
                os.replace(place / final.name, temporary)
        else:  # also a file of an earlier export
            remove(final)
    if best:
        best["kept"] = True


def _fail_unless_agreeing(row, attempt):
    """A file with other predictions is another model: its accuracy is as good by chance."""
    if row["passed"] and not _agrees(row, attempt):
        row["passed"] = False
        row["failure"] = (
            f"agrees with the model in {100 * row['agreement']:.1f} % of the answers, auto requires "
            f"{100 * attempt.least_agreement:g} %"
        )
    return row


def _agrees(row, attempt):
    return row["agreement"] >= attempt.least_agreement
