"""Writes a model's TFLite files; the quantized ones are made from the float32 one."""

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
    """Writes a model's TFLite files.

    The float32 file and the ranges of activations are made once, when needed. Use it as a context: at its end
    the temporary files are gone.

    Args:
        model: the model as `inference_model` gives it, or its `MobileForm`.
        images: uint8 `(n, height, width, channels)` of the training data, or None where no variant
            that needs calibration is written.
        folder: Path, an existing folder in which a temporary one is made.
        input_dtype: `"float32"` or `"uint8"`, what the files take.
    """

    def __init__(self, model, images, folder, input_dtype="float32"):
        self.model = model
        self.input_dtype = input_dtype
        self.images = None if images is None else _evenly_spaced(images, MOST_IMAGES)
        self.folder = folder

    def __enter__(self):
        self._temporary = self._ranges = None
        return self

    def __exit__(self, *_):
        if self._temporary:
            self._temporary.cleanup()

    def write(self, variant, path, float_operators=()):
        """Writes a variant.

        Args:
            variant: str, any but `savedmodel`.
            path: Path of the file.
            float_operators: names of operators that stay in float, as `sensitivity` gives them.

        Raises:
            ConditionError: the converter or the quantizer refused, crashed, or passed its limits.
            OSError: the disk is full.
        """
        options = VARIANTS[variant].converter
        if options == ():
            shutil.copyfile(self._float32(), path)
        elif options and not float_operators:
            write_tflite(self.model, path, options, self.input_dtype)
        else:
            job = {**self._job(variant), "float_operators": list(float_operators)}
            run_writer("quantize", **job, path=path)

    def sensitivity(self, variant):
        """Measures what each layer costs when it alone is quantized, on calibration images.

        Returns:
            A list of dicts, the worst first: `layer`, `operators` (names), `divergence` (mean KL divergence
            from the float32 file's probabilities, in nats).

        Raises:
            ConditionError: the quantizer failed.
        """
        images = self._saved(_evenly_spaced(self.images, SENSITIVITY_IMAGES), "few.npy")
        return run_worker("sensitivity", **self._job(variant), images=images)

    def ranges(self):
        """Returns a dict from a tensor's name to `[low, high, rank]` of its values on calibration images."""
        if self._ranges is None:
            images = self._saved(self.images, "images.npy")
            self._ranges = run_worker("calibrate", file=self._float32(), images=images)
        return self._ranges

    def _job(self, variant):
        variant = VARIANTS[variant]
        ranges = self.ranges() if variant.needs_calibration else None
        return {"file": self._float32(), "rules": variant.rules, "ranges": ranges}

    def _float32(self):
        path = self._place() / "fp32.tflite"
        if not path.exists():
            write_tflite(self.model, path, (), self.input_dtype)
        return path

    def _saved(self, images, name):
        np.save(self._place() / name, images)
        return self._place() / name

    def _place(self):
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix=".tflite-", dir=self.folder)
        return Path(self._temporary.name)


def _evenly_spaced(images, count):
    """At most so many images, from the whole length: data may be ordered by class."""
    if len(images) <= count:
        return np.asarray(images)
    return np.asarray(images[np.linspace(0, len(images) - 1, count).astype(int)])
