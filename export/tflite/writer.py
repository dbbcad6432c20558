"""Writes a model's TFLite files; the quantized ones are made from the float32 one."""

import functools
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_vit.errors import counted
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.tflite.graph import read_graph
from keras_vit.export.variants import VARIANTS
from keras_vit.export.workers.runner import run_worker, run_writer
from keras_vit.io.files import disk_errors_as_input_errors
from keras_vit.io.html_page import duration

MOST_ITEMS = 256  # for calibration; further ones change the ranges little
SENSITIVITY_ITEMS = 16
PIXELS = (0.0, 255.0)  # the range of every image: int8 then has each of its values, in steps of 1


class TfliteWriter:
    """Writes the TFLite files of a `FileForm`, with arrays by name of its inputs for calibration, or None.

    With an `Int8Training`, whose inputs are such arrays too, the weights of the variants that can be trained
    are those that it gives; the others keep the model's. `progress` gets the variant and what is done.

    The float32 file and the ranges of activations are made once, when needed, in a temporary folder inside
    `folder`. Use it as a context: at its end the temporary files are gone.
    """

    def __init__(self, form, calibration, folder, int8_training=None, progress=None):
        self.form = form
        self.int8_training = int8_training
        self.progress = progress or (lambda variant, step: None)
        self.calibration = calibration and _evenly_spaced(calibration, MOST_ITEMS)
        self.folder = folder

    def __enter__(self):
        with disk_errors_as_input_errors(self.folder):
            self._temporary = tempfile.TemporaryDirectory(prefix=".tflite-", dir=self.folder)
        return self

    def __exit__(self, *_):
        self._temporary.cleanup()

    def write(self, variant, path, spared=()):
        """Writes a TFLite variant; `spared` are rules for operators that are quantized less.

        A ConditionError means that the converter or the quantizer refused, crashed, or exceeded its limits.
        """
        options = VARIANTS[variant].converter
        if options == ():
            shutil.copyfile(self._float32, path)
        elif options and not spared:
            write_tflite(self.form, path, options)
        else:
            means = None if self.is_trained(variant) else self._means
            run_writer("quantize", **self._job(variant), spared=list(spared), means=means, path=path)

    def is_trained(self, variant) -> bool:
        """Returns whether a variant has weights that were trained for it."""
        wanted = self.int8_training is not None and VARIANTS[variant].is_all_int8
        return wanted and self._trained is not None

    def sensitivity(self, variant):
        """Measures what quantization does to each layer's own output, on calibration items.

        Returns dicts, the worst layer first: `layer`, `error` (the noise power relative to the output's
        variance) and `spared` (rules for `write` that quantize it less).
        """
        items = self._saved(_evenly_spaced(self.calibration, SENSITIVITY_ITEMS), "few.npz")
        spared = VARIANTS[variant].spared
        job = {**self._job(variant), "spared": spared, "items": items}
        return run_worker(
            "sensitivity", **job, progress=self._share_of(variant, "measuring what each layer loses")
        )

    @functools.cached_property
    def ranges(self):
        """A dict from a tensor's name to `[low, high, rank]` of its values on calibration items."""
        found, _ = self._calibrated
        if self.form.pixels:
            graph = read_graph(self._float32.read_bytes()).subgraphs[0]
            name = graph.tensors[graph.inputs[0]].name.decode()
            if name in found:  # not of bytes
                found[name][:2] = PIXELS
        return found

    @property
    def _means(self):
        """The means of what dense layers read, which correct their biases, or None without calibration."""
        return self._calibrated[1] if self.calibration else None

    @functools.cached_property
    def _calibrated(self):
        count = len(next(iter(self.calibration.values())))
        words = f"finding ranges on {counted(count, 'item')}"
        self.progress("calibration", words)
        items = self._saved(self.calibration, "items.npz")
        progress = self._share_of("calibration", words)
        return run_worker("calibrate", file=self._float32, items=items, progress=progress)

    @functools.cached_property
    def _float32(self):
        path = Path(self._temporary.name) / "fp32.tflite"
        write_tflite(self.form, path)
        return path

    @functools.cached_property
    def _trained(self):
        """The float32 file with weights trained for static int8, or None where that did not help."""
        from keras_vit.export.int8_training.train import train

        path, quantized = (Path(self._temporary.name) / f"{name}.tflite" for name in ("trained", "untrained"))
        job = {"file": self._float32, "rules": VARIANTS["full_int8"].rules, "ranges": self.ranges}
        run_writer("quantize", **job, path=quantized)
        step = functools.partial(self.progress, "full_int8")
        content = train(self._float32.read_bytes(), quantized.read_bytes(), self.int8_training, step)
        if content is None:
            return None
        path.write_bytes(content)
        return path

    def _job(self, name):
        variant = VARIANTS[name]
        ranges = self.ranges if variant.needs_calibration else None
        file = self._trained if self.is_trained(name) else self._float32
        return {"file": file, "rules": variant.rules_with_ends(self.form.int8), "ranges": ranges}

    def _share_of(self, part, words):
        """Returns a function of the share of some work that is done, which shows the time left."""
        started = time.monotonic()

        def progress(share):
            left = (time.monotonic() - started) * (1 / share - 1)
            self.progress(part, f"{words}, {share:.0%}, about {duration(left)} left")

        return progress

    def _saved(self, items, name):
        path = Path(self._temporary.name) / name
        np.savez(path, **items)
        return path


def _evenly_spaced(items, count):
    """At most `count` items from the whole length: data may be ordered by class."""
    length = len(next(iter(items.values())))
    chosen = np.linspace(0, length - 1, min(length, count)).astype(int)
    return {name: np.asarray(array[chosen]) for name, array in items.items()}
