"""Makes a model's TFLite files, of which the quantised ones come of the float32 one."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from keras_vit.export.quantize_rules import RULES, needs_calibration
from keras_vit.export.tflite import run_converter, write_tflite

QUANTIZE = (str(Path(__file__).with_name("quantize_worker.py")),)
CALIBRATE = (str(Path(__file__).with_name("calibrate_worker.py")),)
SENSITIVITY = (str(Path(__file__).with_name("sensitivity_worker.py")),)
MOST_IMAGES = 256  # for calibration; further ones move the ranges little
SENSITIVITY_IMAGES = 64


class Quantization:
    """A model's TFLite files; the float32 one and the ranges of activations are made once, when needed.

    Use it as a context: at its end the temporary files are gone.

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
        self.images = None if images is None else _evenly(images, MOST_IMAGES)
        self.folder = folder

    def __enter__(self):
        self._temporary = None
        return self

    def __exit__(self, *_):
        if self._temporary:
            self._temporary.cleanup()

    def write(self, variant, path, float_operators=()):
        """Writes a variant.

        Args:
            variant: str, any but `savedmodel`.
            path: Path of the file.
            float_operators: names of operators that are left in float, as `sensitivity` gives them.

        Raises:
            ConditionError: the converter or the quantiser refused, crashed, or passed its limits.
            OSError: the disk is full.
        """
        if variant == "fp32":
            shutil.copyfile(self._float32(), path)
        elif variant == "fp16" or variant == "dynamic_int8" and not float_operators:
            write_tflite(self.model, variant, path, self.input_dtype)
        else:
            run_converter(QUANTIZE, self._float32(), self._job(variant, float_operators), path)

    def sensitivity(self, variant):
        """Measures what each layer costs when it alone is quantised, on calibration images.

        Returns:
            A list of dicts, the worst first: `layer`, `operators` (names), `divergence` (mean KL divergence
            from the float32 file's probabilities, in nats).
        """
        path = self.place / "sensitivity.json"
        images = self._saved(_evenly(self.images, SENSITIVITY_IMAGES), "few.npy")
        run_converter(SENSITIVITY, self._float32(), self._job(variant), images, path)
        return json.loads(path.read_text())

    @property
    def place(self):
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix=".quantization-", dir=self.folder)
        return Path(self._temporary.name)

    def _job(self, variant, float_operators=()):
        ranges = str(self._ranges()) if needs_calibration(variant) else None
        job = {"rules": RULES[variant], "ranges": ranges, "float_operators": list(float_operators)}
        path = self.place / f"{variant}.json"
        path.write_text(json.dumps(job))
        return path

    def _float32(self):
        path = self.place / "fp32.tflite"
        if not path.exists():
            write_tflite(self.model, "fp32", path, self.input_dtype)
        return path

    def _ranges(self):
        path = self.place / "ranges.json"
        if not path.exists():
            images = self._saved(self.images, "images.npy")
            run_converter(CALIBRATE, self._float32(), images, path)
        return path

    def _saved(self, images, name):
        np.save(self.place / name, images)
        return self.place / name


def _evenly(images, count):
    """At most so many images, from the whole length: data may be ordered by class."""
    if len(images) <= count:
        return np.asarray(images)
    return np.asarray(images[np.linspace(0, len(images) - 1, count).astype(int)])
