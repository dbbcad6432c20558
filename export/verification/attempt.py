"""Writes one variant of a model, verifies it against the model and times it."""

import time

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.measurement import median_ms, num_threads, size_bytes
from keras_vit.export.variants import FILES, SAVED_MODEL_MARK, VARIANTS
from keras_vit.export.verification.model_export import ModelExport
from keras_vit.export.verification.record import remove
from keras_vit.io.files import atomic_path

# The same float32 arithmetic in another order: an output moves by some roundings of 6e-8 in each of some
# hundred sums. 1e-4 is far above what was seen (2e-6) and far below what any mistake would give.
FLOAT32_TOLERANCE = 1e-4


class Attempt:
    """Tries variants of one model, and reports to `progress` the variant and what is done with it."""

    def __init__(self, export: ModelExport, max_drop: float, progress=None):
        self.export = export
        self.max_drop = max_drop
        self.progress = progress or (lambda variant, step: None)
        self.least_agreement = export.least_agreement
        self.sensitivity = export.sensitivity
        self._predictors = {}  # by the id of the row they belong to: a variant may be tried again

    def __call__(self, variant, folder, spared=()):
        """Returns the variant's row; its file is in the folder only if it passed."""
        final = folder / FILES[variant]
        row = {
            "variant": variant,
            "file": final.name,
            "passed": False,
            "failure": None,
            "max_drop": self.max_drop,
            **self.export.settings(variant),
        }
        try:
            with atomic_path(final, mark=SAVED_MODEL_MARK) as temporary:
                self.progress(variant, "converting")
                predictor = self._write(variant, temporary, spared)
                self.progress(variant, f"verifying on {self.export.sample}")
                row.update(self.export.verify(predictor), threads=num_threads(variant))
                row["size"] = size_bytes(temporary)
                self._predictors[id(row)] = predictor
                check_tolerances(row, self.export)
                self.export.check(predictor)
            row["passed"] = True
        except ConditionError as error:
            row["failure"] = str(error)
            remove(final)
        return row

    def time(self, rows):
        """Writes latencies into the rows of files that run, also of those that failed.

        TFLite files take the CPU time of one thread, in interleaved rounds; SavedModels the wall time.
        """
        for is_tflite, clock in ((True, time.thread_time), (False, time.perf_counter)):
            timed = [r for r in rows if "size" in r and VARIANTS[r["variant"]].is_tflite == is_tflite]
            runs = [self.export.timed(self._predictors[id(row)]) for row in timed]
            for row, latency in zip(timed, median_ms(runs, self.export.timing_rounds, clock), strict=True):
                row["latency_ms"] = latency

    def _write(self, variant, path, spared):
        try:
            return self.export.write(variant, path, spared)
        except InputError as error:  # bad input for others, but here the file that was just written failed
            raise ConditionError(str(error).replace(str(path), path.name)) from error


def check_tolerances(row, export):
    """Raises ConditionError when a file loses too much, or differs although it must be exact."""
    if not row["drop"] <= row["max_drop"]:  # nor is NaN
        raise ConditionError(
            f"lost {export.drop.format(row['drop'])}, allowed are {row['max_drop']:g}: {export.advice}"
        )
    for name, words in export.differences.items():
        if VARIANTS[row["variant"]].is_float32 and row.get(name, 0) > FLOAT32_TOLERANCE:
            raise ConditionError(
                f"differs from the model by {row[name]:.1e} {words}, float32 arithmetic allows "
                f"{FLOAT32_TOLERANCE:.0e}"
            )
