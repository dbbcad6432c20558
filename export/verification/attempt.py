"""Writes one variant of a model, verifies it against the model and times it."""

import contextlib
import errno
import time

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.measurement import median_ms, num_threads, size_bytes
from keras_vit.export.tflite.graph import integer_share, read_graph
from keras_vit.export.variants import FILES, VARIANTS
from keras_vit.export.verification.model_export import ModelExport
from keras_vit.export.verification.record import remove
from keras_vit.io.files import is_full_disk

# The same float32 arithmetic in another order: an output moves by some roundings of 6e-8 in each of some
# hundred sums. 1e-4 is far above what was seen (2e-6) and far below what any mistake would give.
FLOAT32_TOLERANCE = 1e-4
CLEARLY = 0.05  # a share of answers that differs by more on a few items does so on all


class Attempt:
    """Tries variants of one model, and reports to `progress` the variant and what is done with it."""

    def __init__(self, export: ModelExport, max_drop: float, progress=None, latencies=None):
        self.export = export
        self.max_drop = max_drop
        self.progress = progress or (lambda variant, step: None)
        self.least_agreement = export.least_agreement
        self.latencies = latencies  # `PhoneLatencies` instead of this machine's, or None
        self._predictors = {}  # by the id of the row they belong to: a variant may be tried again

    def __call__(self, variant, folder):
        """Returns the variant's row; its file is in the folder only if it passed."""
        row = self._row(variant)
        with self._failure_in(row, folder / row["file"]):
            self._write(row, folder / row["file"])
            self._verify(row)
            row["passed"] = True
        return row

    def write(self, variant, folder, spared=()):
        """Returns the row of a file in a folder for files that are not verified yet."""
        row = self._row(variant)
        with self._failure_in(row, folder / row["file"]):
            self._write(row, folder / row["file"], spared)
        return row

    def verify(self, row):
        """Verifies the file of a row from `write` as `auto` does: it also has to decide as the model does.

        A file with other predictions is another model: its accuracy is as good by chance. One that differs
        much is refused after a few items.
        """
        with self._failure_in(row):
            self.progress(row["variant"], "verifying on a few items")
            few = self.export.agreement_on_few(self._predictors[id(row)])
            if few is not None and few < self.least_agreement - CLEARLY:
                row["agreement_on_few"] = few
                raise ConditionError(self._disagrees(few, "of the first answers"))
            self._verify(row)
            if row["agreement"] < self.least_agreement:
                raise ConditionError(self._disagrees(row["agreement"], "of the answers"))
            row["passed"] = True

    def sensitivity(self, variant):
        """Returns what each layer costs when quantized, as `ModelExport.sensitivity`."""
        self.progress(variant, "measuring what each layer loses")
        return self.export.sensitivity(variant)

    def time(self, rows):
        """Writes latencies into the rows of files that run, also of those that failed.

        TFLite files take the CPU time of one thread, in interleaved rounds; SavedModels the wall time. Those
        of a phone are read from its table.
        """
        if self.latencies:
            self._read_latencies(rows)
            return
        for is_tflite, clock in ((True, time.thread_time), (False, time.perf_counter)):
            timed = [r for r in rows if "size" in r and VARIANTS[r["variant"]].is_tflite == is_tflite]
            if timed:
                self.progress(", ".join(row["variant"] for row in timed), "timing")
            runs = [self.export.timed(self._predictors[id(row)]) for row in timed]
            for row, latency in zip(timed, median_ms(runs, self.export.timing_rounds, clock), strict=True):
                row["latency_ms"] = latency

    def _read_latencies(self, rows):
        for row in rows:
            if "size" not in row or not VARIANTS[row["variant"]].is_tflite:
                continue
            if row["passed"]:  # it stays, whether it was measured there or not
                with contextlib.suppress(ConditionError):
                    self.latencies.time(row)
            else:
                with self._failure_in(row):
                    self.latencies.time(row)

    def _row(self, variant):
        return {
            "variant": variant,
            "file": FILES[variant],
            "passed": False,
            "failure": None,
            "max_drop": self.max_drop,
            **self.export.settings(variant),
        }

    @contextlib.contextmanager
    def _failure_in(self, row, file=None):
        """Writes a ConditionError into the row, and removes the file; a full disk is an OSError."""
        try:
            yield
        except ConditionError as error:
            if is_full_disk(error):
                raise OSError(errno.ENOSPC, str(error)) from error
            row["failure"] = str(error)
            if file:
                remove(file)

    def _write(self, row, path, spared=()):
        self.progress(row["variant"], "converting, some layers quantized less" if spared else "converting")
        try:
            self._predictors[id(row)] = self.export.write(row["variant"], path, spared)
        except InputError as error:  # bad input for others, but here the file that was just written failed
            raise ConditionError(str(error).replace(str(path), path.name)) from error
        row["threads"] = num_threads(row["variant"])
        row["size"] = size_bytes(path)
        if VARIANTS[row["variant"]].rules:
            row["int_weights"] = integer_share(read_graph(path.read_bytes()))

    def _verify(self, row):
        predictor = self._predictors[id(row)]
        self.progress(row["variant"], f"verifying on {self.export.sample}")
        row.update(self.export.verify(predictor))
        check_tolerances(row, self.export)
        self.export.check(predictor)

    def _disagrees(self, share, of):
        least = 100 * self.least_agreement
        return f"agrees with the model in {100 * share:.1f} % {of}, auto requires {least:g} %"


def check_tolerances(row, export):
    """Raises ConditionError when a file loses too much, or differs although it must be exact."""
    if not row["drop"] <= row["max_drop"]:  # nor is NaN
        lost, advice = export.drop.format(row["drop"]), export.advice(row["variant"])
        raise ConditionError(f"lost {lost}{_place(row)}, allowed are {row['max_drop']:g}: {advice}")
    for name, words in export.differences.items():
        if VARIANTS[row["variant"]].is_float32 and row.get(name, 0) > FLOAT32_TOLERANCE:
            raise ConditionError(
                f"differs from the model by {row[name]:.1e} {words}, float32 arithmetic allows "
                f"{FLOAT32_TOLERANCE:.0e}"
            )


def _place(row):
    """Says which of several outputs lost that much, and of what score, where the row knows it."""
    for name, output in (row.get("outputs") or {}).items():
        if output.get("drop") == row["drop"]:
            reference = output.get("reference_score")
            return f" in {name}" + ("" if reference is None else f", {output['metric']} {reference:.4f}")
    return ""
