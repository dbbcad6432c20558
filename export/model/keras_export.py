"""The export of a Keras model of any kind: how its files are written, compared with it and timed."""

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_vit.export.app.guide import app_guide
from keras_vit.export.images.app_input import PHOTOS, is_pixels
from keras_vit.export.int8_training.train import items_of_epoch
from keras_vit.export.measurement import RUNS
from keras_vit.export.metadata.attach import attach
from keras_vit.export.model.description import NAME, described
from keras_vit.export.model.verify import Expected, compare
from keras_vit.export.prediction.saved_model import saved_model_predictor
from keras_vit.export.prediction.tflite import check_is_tflite, tflite_predictor
from keras_vit.export.saved_model.write import write_saved_model
from keras_vit.export.tflite.named import NamedInterpreter
from keras_vit.export.variants import VARIANTS
from keras_vit.export.verification.model_export import ModelExport
from keras_vit.export.verification.record import fingerprint
from keras_vit.io.figures import latency_words
from keras_vit.models import attention_maps

FEW = 200  # items that show whether a file differs much
MAP_IMAGES = 16  # whose attention is compared; a map differs relative to the largest value of all


def _score(name):
    return lambda row: f"{row[name]:.4f}" if row.get(name) is not None else "-"


class KerasExport(ModelExport):
    """A `ModelFunction` with the outputs that its files must return."""

    kind = "models of arrays"
    drop = "{:.2f} points"
    differences = {
        "max_difference": "of an output's largest value",
        "max_attention_difference": "of a map's largest value",
    }
    least_agreement = 0.97
    timing_rounds = RUNS
    columns: dict[str, Callable] = {
        "latency": lambda row: latency_words(row["latency_ms"]),
        "score": _score("score"),
        "drop": lambda row: f"{row['drop']:+.2f}",
        "agreement": lambda row: f"{100 * row['agreement']:.2f} %",
        "difference": lambda row: f"{row['max_difference']:.1e}",
    }

    @staticmethod
    def advice(variant):
        more = "give more calibration items, " if VARIANTS[variant].needs_calibration else ""
        return f"allow more, {more}or let auto find the layers to leave in float"

    def __init__(
        self, form, arrays, expected, metric, label_names, card, writer, preparation=None, preprocessing=None
    ):
        self.preparation = preparation
        self.form = form
        self.function = form.function
        self.arrays = arrays
        self.expected = expected  # from `expected_outputs`
        self.metric = metric
        self.card = card
        self.label_names = label_names
        self.writer = writer
        facts = (arrays, expected, self.function.activations, label_names, preprocessing)
        self.in_tflite = described(form.inputs, *facts, grey=form.grey)
        self.in_saved_model = described(self._inputs_of_saved_model(), *facts)
        self.num_items = len(next(iter(arrays.values())))
        self.sample = f"{self.num_items:,} {'images' if self.pixels else 'items'}"
        outputs = str(self.in_tflite.as_dict()["outputs"])
        texts = (*(label_names or ()), outputs, *([] if preprocessing is None else [str(preprocessing)]))
        self.fingerprint = fingerprint(self.function.model, texts)
        images = next(iter(arrays.values()))[:MAP_IMAGES]
        self.maps = attention_maps(self.function.model, images) if form.attention else None

    @property
    def pixels(self):
        """Whether the one input is images of bytes."""
        return len(self.arrays) == 1 and all(map(is_pixels, self.arrays.values()))

    def settings(self, variant):
        description = self.in_tflite if VARIANTS[variant].is_tflite else self.in_saved_model
        dtype = {"input_dtype": description.inputs[0].dtype} if self.pixels else {}
        if self.form.int8:
            dtype = {"input_dtype": "int8"}
        training = self.writer.int8_training if self.writer.is_trained(variant) else None
        trained = {}
        if training:
            items = items_of_epoch(training)
            trained = {"int8_training_epochs": training.epochs, "int8_training_items": items}
        return {"batch_size": self.form.batch_size, "attention": self.form.attention, **dtype, **trained}

    def facts(self):
        return {**self.in_tflite.as_dict(), "preparation": self.preparation}

    def texts(self):
        if self.label_names is None:
            return {}
        return {"labels.txt": "".join(f"{name}\n" for name in self.label_names).encode()}

    def guide(self, files):
        return app_guide(self.card.name, files)

    def write(self, variant, path, spared=()):
        if not VARIANTS[variant].is_tflite:
            self._write_saved_model(path)
            return saved_model_predictor(path, check=False)
        self.writer.write(variant, path, spared)
        check_is_tflite(path)
        self.in_tflite = self.in_tflite.with_scales(NamedInterpreter(path).scales())
        attach(path, self.card, self.in_tflite)
        return tflite_predictor(path, check=False)

    def verify(self, predictor):
        with full_float32():
            found = predictor.run(self.arrays)
        figures = compare(self.expected, found, self.metric)
        if self.maps is not None:
            few = {name: array[: len(self.maps)] for name, array in self.arrays.items()}
            difference = np.abs(predictor.attend(few) - self.maps).max() / self.maps.max()
            figures["max_attention_difference"] = float(difference)
        return {"num_items": self.num_items, **figures}

    def agreement_on_few(self, predictor):
        if self.num_items < 2 * FEW:
            return None
        rows = np.linspace(0, self.num_items - 1, FEW).astype(int)
        found = predictor.run({name: np.asarray(array[rows]) for name, array in self.arrays.items()})
        expected = {name: Expected(e.values[rows], e.task) for name, e in self.expected.items()}
        return compare(expected, found)["agreement"]

    def timed(self, predictor):
        size = range(self.form.batch_size)
        batch = {name: np.take(array, size, axis=0, mode="wrap") for name, array in self.arrays.items()}
        return lambda: predictor.run(batch)

    def sensitivity(self, variant):
        return self.writer.sensitivity(variant)

    def _write_saved_model(self, path):
        facts = self.in_saved_model
        classified = facts.classified
        write_saved_model(
            self.function,
            path,
            pixels=self.pixels,
            photos=self.pixels and self.function.inputs[0].shape[-1] in PHOTOS,
            label_names=facts.label_names if facts.named else None,
            classes=classified and classified.name,
            attention=self.form.attention,
            preprocessing=facts.preprocessing,
        )
        extra = path / "assets.extra"
        extra.mkdir()
        (extra / NAME).write_bytes(facts.to_bytes())

    def _inputs_of_saved_model(self):
        tensors = self.function.open_inputs
        return [dataclasses.replace(t, dtype="uint8") for t in tensors] if self.pixels else tensors


@contextlib.contextmanager
def full_float32():
    """Keeps a GPU from rounding float32 to TF32, whose 10 bits differ from a phone by up to 1e-3."""
    allowed = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)
