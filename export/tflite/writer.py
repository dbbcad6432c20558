"""Writes a model's TFLite files; the quantized ones are made from the float32 one."""

import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np

from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.variants import VARIANTS
from keras_vit.export.workers.runner import run_worker, run_writer

MOST_IMAGES = 256  # for calibration; further ones change the ranges little
SENSITIVITY_IMAGES = 64


class TfliteWriter:
    """Writes the TFLite files of an `inference_model` or a `MobileForm`, with uint8 images for calibration.

    The float32 file and the ranges of activations are made once, when needed, in a temporary folder inside
    `folder`. Use it as a context: at its end the temporary files are gone.
    """

    def __init__(self, model, images, folder, input_dtype="float32"):
        self.model = model
        self.input_dtype = input_dtype
        self.images = None if images is None else _evenly_spaced(images, MOST_IMAGES)
        self.folder = folder

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix=".tflite-", dir=self.folder)
        return self

    def __exit__(self, *_):
        self._temporary.cleanup()

    def write(self, variant, path, float_operators=()):
        """Writes a TFLite variant; operators of these names stay in float.

        A ConditionError means that the converter or the quantizer refused, crashed, or exceeded its limits.
        """
        options = VARIANTS[variant].converter
        if options == ():
            shutil.copyfile(self._float32, path)
        elif options and not float_operators:
            write_tflite(self.model, path, options, self.input_dtype)
        else:
            job = {**self._job(variant), "float_operators": list(float_operators)}
            run_writer("quantize", **job, path=path)

    def sensitivity(self, variant):
        """Measures what each layer costs when it alone is quantized, on calibration images.

        Returns dicts, the worst layer first: `layer`, `operators` (names) and `divergence`, the mean KL
        divergence from the float32 file's probabilities in nats.
        """
        images = self._saved(_evenly_spaced(self.images, SENSITIVITY_IMAGES), "few.npy")
        return run_worker("sensitivity", **self._job(variant), images=images)

    @functools.cached_property
    def ranges(self):
        """A dict from a tensor's name to `[low, high, rank]` of its values on calibration images."""
        return run_worker("calibrate", file=self._float32, images=self._saved(self.images, "images.npy"))

    @functools.cached_property
    def _float32(self):
        path = Path(self._temporary.name) / "fp32.tflite"
        write_tflite(self.model, path, (), self.input_dtype)
        return path

    def _job(self, variant):
        variant = VARIANTS[variant]
        ranges = self.ranges if variant.needs_calibration else None
        return {"file": self._float32, "rules": variant.rules, "ranges": ranges}

    def _saved(self, images, name):
        path = Path(self._temporary.name) / name
        np.save(path, images)
        return path


def _evenly_spaced(images, count):
    """At most `count` images from the whole length: data may be ordered by class."""
    if len(images) <= count:
        return np.asarray(images)
    return np.asarray(images[np.linspace(0, len(images) - 1, count).astype(int)])
