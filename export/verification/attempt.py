"""One variant of a model: written, verified against the model and timed."""

import contextlib
import dataclasses

import numpy as np
import tensorflow as tf

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.images.verify import compare
from keras_vit.export.metadata.attach import attach
from keras_vit.export.prediction.predictor import check_is_tflite, saved_model_predictor, tflite_predictor
from keras_vit.export.saved_model.write import write_saved_model
from keras_vit.export.variants import FILES
from keras_vit.export.verification.measurement import latencies_ms, latency_ms, num_threads, size_bytes
from keras_vit.export.verification.record import SAVED_MODEL_MARK, remove
from keras_vit.io.files import atomic_path

# The same float32 arithmetic in another order: a probability moves by some roundings of 6e-8 in each of
# some hundred sums. 1e-4 is far above what was seen (1e-6) and far below what any mistake would give.
FLOAT32_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class HeldOut:
    images: np.ndarray
    labels: np.ndarray
    reference: np.ndarray  # the Keras model's own probabilities
    maps: np.ndarray | None = None  # and its attention on the first images, where the files are to give it
    batch_size: int = 1  # how many images a TFLite file takes at once

    @property
    def batch(self):
        """As many images, the first ones again where there are fewer."""
        return np.take(self.images, range(self.batch_size), axis=0, mode="wrap")


@contextlib.contextmanager
def full_float32():
    """Keeps a GPU from rounding float32 to TF32, whose 10 bits differ from a phone by up to 1e-3."""
    allowed = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)


class Attempt:
    """Writes one variant after the other, verifies each, and times them in turn."""

    def __init__(self, model, label_names, card, held_out, max_drop, quantization, progress):
        self.model = model
        self.label_names = label_names
        self.card = card
        self.held_out = held_out
        self.max_drop = max_drop
        self.quantization = quantization
        self.progress = progress
        self.predictors = {}  # by the id of the row they belong to: a variant may be tried again

    def __call__(self, variant, folder, float_operators=()):
        """Returns the variant's row; its file is in the folder when it passed, and no file when not."""
        final = folder / FILES[variant]
        row = {
            "variant": variant,
            "file": FILES[variant],
            "passed": False,
            "failure": None,
            "max_drop": self.max_drop,
            "batch_size": self.held_out.batch_size,
            "input_dtype": "uint8" if variant == "savedmodel" else self.quantization.input_dtype,
            "attention": self.held_out.maps is not None,
        }
        try:
            with atomic_path(final, mark=SAVED_MODEL_MARK) as temporary:
                self._say(variant, "converting")
                predictor = self._write(variant, temporary, float_operators)
                self._say(variant, f"verifying on {len(self.held_out.images):,} images")
                row.update(_measure(variant, predictor, self.held_out), size=size_bytes(temporary))
                self.predictors[id(row)] = predictor
                _judge(row, variant, self.max_drop)
            row["passed"] = True
        except ConditionError as error:
            row["failure"] = str(error)
            remove(final)
        return row

    def time_in_turn(self, rows):
        """Writes the latencies of TFLite files into their rows."""
        timed = [row for row in rows if "accuracy" in row and row["variant"] != "savedmodel"]
        predictors = [self.predictors[id(row)] for row in timed]
        batches = [self.held_out.batch] * len(timed)
        for row, latency in zip(timed, latencies_ms(predictors, batches), strict=True):
            row["latency_ms"] = latency

    def _say(self, variant, step):
        if self.progress:
            self.progress(variant, step)

    def _write(self, variant, path, float_operators):
        """Returns a predictor of what was written."""
        try:
            if variant == "savedmodel":
                write_saved_model(self.model, self.label_names, path, self.held_out.maps is not None)
                return saved_model_predictor(path)
            self.quantization.write(variant, path, float_operators)
            check_is_tflite(path)
            attach(path, self.card, self.label_names, grey=self.model.input_shape[-1] == 1)
            return tflite_predictor(path)
        except InputError as error:  # bad input for others, but here it is our own work that failed
            raise ConditionError(str(error).replace(str(path), path.name)) from error


def _measure(variant, predictor, held_out):
    with full_float32():
        answers = predictor.probabilities(held_out.images)
    verification = compare(held_out.reference, answers, held_out.labels)
    measured = {
        **dataclasses.asdict(verification),
        "drop": verification.drop,
        "threads": num_threads(variant),
    }
    if held_out.maps is not None:
        maps = predictor.attention_maps(held_out.images[: len(held_out.maps)])
        measured["max_attention_difference"] = float(np.abs(maps - held_out.maps).max() / held_out.maps.max())
    if variant == "savedmodel":
        measured["latency_ms"] = latency_ms(predictor, held_out.batch)
    return measured


def _judge(row, variant, max_drop):
    if row["drop"] > max_drop:
        raise ConditionError(
            f"lost {row['drop']:.2f} points of accuracy, allowed are {max_drop:g}: allow more, give more "
            "calibration images, or let auto find the layers to leave in float"
        )
    for what, words in (("max_probability_difference", "probability"), ("max_attention_difference", "map")):
        if variant in ("savedmodel", "fp32") and row.get(what, 0) > FLOAT32_TOLERANCE:
            raise ConditionError(
                f"differs from the model by {row[what]:.1e} in a {words}, float32 arithmetic allows "
                f"{FLOAT32_TOLERANCE:.0e}"
            )
