"""Exports a classifier of images."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.images.checks import check_calibration, check_held_out, check_input, check_logits
from keras_vit.export.images.inference_model import inference_model
from keras_vit.export.images.plot import PLOT, write_plot
from keras_vit.export.images.verify import compare
from keras_vit.export.measurement import RUNS
from keras_vit.export.metadata.attach import attach
from keras_vit.export.metadata.card import Card
from keras_vit.export.mobile import mobile_form
from keras_vit.export.prediction.saved_model import saved_model_predictor
from keras_vit.export.prediction.tflite import check_is_tflite, tflite_predictor
from keras_vit.export.saved_model.write import write_saved_model
from keras_vit.export.tflite.writer import TfliteWriter
from keras_vit.export.variants import DEFAULT, VARIANTS
from keras_vit.export.verification.export import (
    check_backend,
    check_finite,
    check_variants,
    export_variants,
)
from keras_vit.export.verification.model_export import ModelExport
from keras_vit.export.verification.record import fingerprint
from keras_vit.io.files import write_text
from keras_vit.models import attention_maps

MAP_IMAGES = 16  # whose attention is compared; a map differs relative to the largest value of all


def export_model(
    model: keras.Model,
    out: str | Path,
    *,
    inputs: np.ndarray,
    labels: np.ndarray,
    label_names: Sequence[str] | None = None,
    variants: Sequence[str] = DEFAULT,
    calibration: np.ndarray | None = None,
    max_drop: float = 0.5,
    attention: bool = False,
    input_dtype: str = "float32",
    batch_size: int = 1,
    card: Card | None = None,
    report: Callable[[list[dict[str, Any]]], object] | None = None,
    progress: Callable[[str, str], object] | None = None,
) -> list[dict[str, Any]]:
    """Writes a classifier of images as SavedModel and TFLite files, each verified against the model.

    Each variant is written, compared with the model on held-out images and timed. A file stays only when it
    loses no more than `max_drop`; one in float32 must return the model's own answers. Files of an earlier
    export of the same model stay; those of another model are removed.

    Args:
        model: trained functional or Sequential `keras.Model` from images `(batch, height, width, channels)`
            in [0, 255] to logits `(batch, num_classes)`.
        out: str or Path of a folder. Gets the files, `labels.txt` and `export.json`.
        inputs: uint8 `(n, height, width, channels)`, images that were not used in training.
        labels: int `(n,)`, their classes, from 0 to num_classes - 1.
        label_names: sequence of str, one per class. Default: the classes' numbers.
        variants: which of `savedmodel`, `fp32`, `fp16`, `dynamic_int8` (together the default), `mixed_int8`,
            `full_int8`, `int16x8`, `int4`; or `auto`, which tries those that may be the fastest, keeps the
            one that is, and draws `export.png`.
        calibration: uint8 `(m, height, width, channels)`, some hundred images of the training data; needed by
            `mixed_int8`, `full_int8`, `int16x8` and `auto`. Default: None.
        max_drop: float, points of accuracy from 0 to 100 that a variant may lose. Default: 0.5.
        attention: bool, the files give the attention rollout too: a SavedModel as the signature `attention`,
            a TFLite file as its second output. Default: False.
        input_dtype: `"float32"` (default) or `"uint8"`, what TFLite files take.
        batch_size: int, how many images TFLite files take at once, at least 1. Default: 1.
        card: `keras_vit.export.metadata.card.Card`, texts for TFLite files. Default: the model's name.
        report: function of the rows, called when all variants were tried, before any error.
        progress: function of a variant and what is done with it, such as `("fp32", "converting")`.

    Returns:
        A list of dicts, one per variant that was tried, as in `export.json`; sizes in bytes, latency in
        milliseconds for `batch_size` images on `threads` threads: of a TFLite file the CPU time, of a
        SavedModel the wall time. With `auto`, `kept` marks the file that stays.

    Raises:
        InputError: unknown variant, labels or images that do not fit the model, a model that does not give
            logits, no or too few calibration images, or a folder that cannot be written.
        ConditionError: some variant failed (with `auto`: all did); it has left no file, the others stand.

    Example:

    >>> import keras, numpy as np, tempfile
    >>> from keras_vit.export import export_model
    >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    >>> images = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3)).astype("uint8")
    >>> out = tempfile.mkdtemp()
    >>> (row,) = export_model(model, out, inputs=images, labels=np.arange(10) % 2, variants=["savedmodel"])
    >>> row["file"], row["passed"], row["top1_agreement"]
    ('saved_model', True, 1.0)
    """
    check_backend()
    check_variants(variants, ImageExport)
    check_input(input_dtype, batch_size)
    shipped = inference_model(model)
    label_names = tuple(map(str, range(shipped.output_shape[1])) if label_names is None else label_names)
    check_held_out(shipped, label_names, inputs, labels)
    check_logits(shipped, inputs)
    check_calibration(shipped, variants, calibration)
    out = Path(out)
    form = mobile_form(shipped, batch_size, attention)
    writer = TfliteWriter(form, calibration, out, input_dtype)
    export = ImageExport(shipped, label_names, card or Card(shipped.name), inputs, labels, writer)
    write_text(out / "labels.txt", "".join(f"{name}\n" for name in label_names))

    def finish(rows):
        if any("kept" in row for row in rows):
            write_plot(rows, max_drop, out / PLOT)
        if report:
            report(rows)

    with writer:
        return export_variants(export, out, variants, max_drop, finish, progress)


class ImageExport(ModelExport):
    kind = "images"
    drop = "{:.2f} points of accuracy"
    advice = "allow more, give more calibration images, or let auto find the layers to leave in float"
    differences = {
        "max_probability_difference": "in a probability",
        "max_attention_difference": "in a map",
    }
    least_agreement = 0.97
    timing_rounds = RUNS
    columns = {
        "latency": lambda row: f"{row['latency_ms']:.2f} ms",
        "accuracy": lambda row: f"{100 * row['accuracy']:.2f} %",
        "drop": lambda row: f"{row['drop']:+.2f}",
        "agreement": lambda row: f"{100 * row['top1_agreement']:.2f} %",
        "difference": lambda row: f"{row['max_probability_difference']:.1e}",
    }

    def __init__(self, model, label_names, card, images, labels, writer):
        self.model = model
        self.label_names = label_names
        self.card = card
        self.images = images
        self.labels = labels
        self.writer = writer
        self.sample = f"{len(images):,} images"
        self.fingerprint = fingerprint(model, label_names)
        self.batch_size = writer.model.input_shape[0]
        self.attention = writer.model.map_shape is not None
        with _full_float32():
            self.reference = model.predict(images, batch_size=64, verbose=0)
        check_finite(model, self.reference)
        self.maps = attention_maps(model, images[:MAP_IMAGES]) if self.attention else None

    def settings(self, variant):
        takes = self.writer.input_dtype if VARIANTS[variant].is_tflite else "uint8"
        return {"batch_size": self.batch_size, "input_dtype": takes, "attention": self.attention}

    def write(self, variant, path, float_operators=()):
        if not VARIANTS[variant].is_tflite:
            write_saved_model(self.model, self.label_names, path, self.attention)
            return saved_model_predictor(path)
        self.writer.write(variant, path, float_operators)
        check_is_tflite(path)
        attach(path, self.card, self.label_names, grey=self.model.input_shape[-1] == 1)
        return tflite_predictor(path)

    def verify(self, predictor):
        with _full_float32():
            answers = predictor.probabilities(self.images)
        figures = compare(self.reference, answers, self.labels)
        if self.attention:
            maps = predictor.attention_maps(self.images[: len(self.maps)])
            difference = np.abs(maps - self.maps).max() / self.maps.max()
            figures["max_attention_difference"] = float(difference)
        return figures

    def timed(self, predictor):
        batch = np.take(self.images, range(self.batch_size), axis=0, mode="wrap")
        return lambda: predictor.probabilities(batch)

    def sensitivity(self, variant):
        return self.writer.sensitivity(variant)


@contextlib.contextmanager
def _full_float32():
    """Keeps a GPU from rounding float32 to TF32, whose 10 bits differ from a phone by up to 1e-3."""
    allowed = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)
