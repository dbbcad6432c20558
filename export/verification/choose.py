"""Tries a model's variants and keeps the fastest whose outputs match the model's."""

from pathlib import Path

from keras_vit.errors import ConditionError
from keras_vit.export.variants import FILES, VARIANTS
from keras_vit.export.verification.record import remove
from keras_vit.io.figures import latency_words

SAME = 1.03  # latencies with a smaller ratio are equal: they differ as much from run to run
# Latencies of this machine with a smaller ratio do not tell which is the faster one on an ARM phone. This
# order decides then: products of int8 are XNNPACK's fastest there (dot products of 4 or 8 at once); a range
# that is fixed saves finding one for each token; halves become floats when the file is loaded, in half the
# size of the file; int4 is unpacked to int8 in each product.
NEAR = 1.10
NOT_VERIFIED = "not verified"
ON_ARM = ("full_int8", "mixed_int8", "dynamic_int8", "fp16", "fp32", "int4")


def choose(attempt, candidates: list[str], folder: Path, named=()) -> list[dict]:
    """Tries candidates, the fastest first; of those that lose too much also the worst layers quantized less.

    A candidate that is clearly slower than one that passed is not verified, and its row says so. Of the files
    that are written to the folder, that of the chosen variant stays. `named` are the rows of variants
    requested by name: their files stay, and the fastest may be one of them. Returns the candidates' rows,
    each with `kept`.
    """
    others = [
        row
        for row in named
        if row["passed"] and _agrees(row, attempt) and not VARIANTS[row["variant"]].not_auto
    ]
    late = [name for name in candidates if VARIANTS[name].as_fast_as in candidates]
    rows = [attempt.write(variant, folder) for variant in candidates if variant not in late]
    attempt.time(others + rows)
    if any("measured_on" in row for row in rows):  # on a phone: this machine's latencies are no measure
        others = [row for row in others if "measured_on" in row]
    _verify_fastest_first(rows, others, attempt)
    rows = _retried(rows, others, attempt, folder)
    rows += [_tried_late(variant, rows, others, attempt, folder) for variant in late]
    _look_again(rows, others, attempt)
    _keep_fastest(rows, others, folder)
    return sorted(rows, key=lambda row: candidates.index(row["variant"]))


def fastest(rows):
    """Returns the fastest of the rows that passed, or None.

    Of nearly equal ones it is the first of `ON_ARM`; where a phone measured them, the smallest of equal ones.
    """
    passed = [row for row in rows if row["passed"]]
    if not passed:
        return None
    limit = _limit(rows)
    return min((row for row in passed if row["latency_ms"] <= limit), key=_preference)


def _limit(rows):
    """Up to which latency a row is as fast as the fastest that passed."""
    ratio = SAME if any("measured_on" in row for row in rows) else NEAR
    return ratio * min(row["latency_ms"] for row in rows if row["passed"])


def _preference(row):
    known = row["variant"] in ON_ARM and "measured_on" not in row
    return (ON_ARM.index(row["variant"]) if known else 0, row["size"])


def _verify_fastest_first(rows, others, attempt):
    for row in _by_latency(rows):
        best = fastest([*others, *rows])
        if best is not None and row["latency_ms"] > _limit([*others, *rows]):
            row["failure"] = _slower(row, best)
        else:
            row["failure"] = None
            attempt.verify(row)


def _slower(row, best):
    own, others = (latency_words(each["latency_ms"]) for each in (row, best))
    return f"{NOT_VERIFIED}: {own}, {best['variant']} passed with {others}"


def _look_again(rows, others, attempt):
    """Judges rows that were too slow to be verified by the latencies of the last timing, which rows have."""
    waiting = [row for row in rows if (row["failure"] or "").startswith(NOT_VERIFIED)]
    _verify_fastest_first(waiting, [*others, *rows], attempt)


def _retried(rows, others, attempt, place):
    """The rows; of those that were fast but lost too much, the one with the worst layers quantized less."""
    rows = list(rows)
    for row in _by_latency(rows):
        best = fastest([*others, *rows])
        if "measured_on" in row:  # with other layers in float it has not been measured there
            continue
        if VARIANTS[row["variant"]].rules and (best is None or row["latency_ms"] < best["latency_ms"]):
            rows[rows.index(row)] = retry_with_spared_layers(row, best, attempt, place)
    return rows


def _by_latency(rows):
    """The rows of files that run and have not passed, the fastest first."""
    return sorted(
        (row for row in rows if "latency_ms" in row and not row["passed"]), key=lambda row: row["latency_ms"]
    )


def retry_with_spared_layers(row, best, attempt, place):
    """Returns the row of a variant with its worst layers quantized less, or the given one if none passes.

    More layers are spared until the file passes or is no longer faster than the best one.
    """
    try:
        layers = [layer for layer in attempt.sensitivity(row["variant"]) if layer["error"] > 0]
    except ConditionError:
        return row
    for count in _counts(len(layers) // 2):
        worst = layers[:count]
        again = attempt.write(row["variant"], place, [rule for layer in worst for rule in layer["spared"]])
        again["spared_layers"] = [layer["layer"] for layer in worst]
        again["drop_with_all_layers"] = row.get("drop")
        attempt.time([again, *([best] if best else [])])
        if "latency_ms" in again and (best is None or again["latency_ms"] <= SAME * best["latency_ms"]):
            attempt.verify(again)
        elif "latency_ms" in again:
            return row
        if again["passed"]:
            return again
    return row


def _counts(most):
    """1, 4, 16 and so on, and at last `most`: each try costs as long as all others."""
    return [*(4**power for power in range(8) if 4**power < most), *([most] if most else [])]


def _tried_late(variant, rows, others, attempt, place):
    """The row of a variant whose latency is known before it is written: that of another one."""
    twin = next(row for row in rows if row["variant"] == VARIANTS[variant].as_fast_as)
    best = fastest([*others, *rows])
    if best is not None and twin.get("latency_ms", 0) > _limit([*others, *rows]):
        failure = f"not written: as fast as {twin['variant']}, {best['variant']} is faster"
        return {"variant": variant, "file": FILES[variant], "passed": False, "failure": failure}
    row = attempt.write(variant, place)
    attempt.time([*others, *rows, row])
    _verify_fastest_first([row], [*others, *rows], attempt)
    return row


def _keep_fastest(rows, others, folder):
    """Marks the fastest row, unless one of the others is faster, and removes the files of the rest."""
    best = fastest(others + rows)
    for row in rows:
        row["kept"] = row is best
        if not row["kept"]:
            remove(folder / FILES[row["variant"]])
    if best:
        best["kept"] = True


def _agrees(row, attempt):
    return row["agreement"] >= attempt.least_agreement
