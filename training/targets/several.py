"""Several labels for each image, which each hold or not."""

import keras
import numpy as np
from keras import ops
from scipy.special import expit

from keras_vit.errors import InputError
from keras_vit.io.label_kinds import SEVERAL
from keras_vit.io.output_meaning import calibrated
from keras_vit.training import chance
from keras_vit.training.balance import BALANCED, MACRO_F1, RECALL, given_weights, index_of
from keras_vit.training.label_metrics import best_thresholds, calibration, label_metrics
from keras_vit.training.metrics import LABELS
from keras_vit.training.targets.calibration import CALIBRATED, fit_temperature, sigmoid_loss
from keras_vit.training.targets.target import Target

MEAN_AVERAGE_PRECISION = "mean_average_precision"
MONITORS = (MEAN_AVERAGE_PRECISION, MACRO_F1, RECALL)
MOST_WEIGHT = 100.0  # of a label that holds, with balanced weights


class SeveralLabels(Target):
    """Any number of some labels: a sigmoid and the cross-entropy of each."""

    kind = SEVERAL
    metrics = LABELS
    curve = MEAN_AVERAGE_PRECISION
    task, activation = "labels", "sigmoid"
    words = "several labels"
    unused = ("label_smoothing", "logit_adjustment")

    def __init__(self, recipe, data=None):
        super().__init__(recipe, data)
        kind, _, label = (recipe.monitor or MEAN_AVERAGE_PRECISION).partition(":")
        if kind not in MONITORS:
            raise InputError(
                f"Expected monitor to be {MEAN_AVERAGE_PRECISION}, {MACRO_F1} or {RECALL}:LABEL for several "
                f"labels, received {recipe.monitor!r}."
            )
        if recipe.loss == "hinge":
            raise InputError("loss=hinge is for one class an image, and the data have several labels.")
        self._monitor = kind
        self.label = index_of(label, data.label_names, "monitor") if data and label else None
        if recipe.label_smoothing:
            self.notes.append("several labels: a sigmoid each, without label smoothing")
        if recipe.crop_area is not None:
            self.notes.append(
                f"several labels: random crops show {100 * recipe.crop_area:.3g} % or more of an image, and "
                "may leave a labelled thing out; a larger crop_area shows more, crop_area=none all of it"
            )

    @property
    def monitor(self):
        return self._monitor, "max"

    def loss(self):
        if self.recipe.class_weight is None or self.data is None:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return WeightedLabels(self._positive_weights())

    def logged_metrics(self):
        average = keras.metrics.AUC(
            curve="PR",
            multi_label=True,
            num_labels=None if self.data is None else self.data.num_classes,
            from_logits=True,
            name=MEAN_AVERAGE_PRECISION,
        )
        if self._monitor == MEAN_AVERAGE_PRECISION:
            return [average]
        return [average, LabelMetric(self._monitor, self.label)]

    def answers(self, outputs, fitted=None):
        return expit(calibrated(outputs, (fitted or {}).get("temperature", 1))).astype("float32")

    def fit(self, outputs, labels):
        fitted = {"temperature": fit_temperature(outputs, sigmoid_loss(labels))}
        return {**fitted, "thresholds": best_thresholds(self.answers(outputs, fitted), labels)}

    def evaluate(self, outputs, labels, names, fitted):
        thresholds = fitted["thresholds"]
        metrics = label_metrics(self.answers(outputs, fitted), labels, names, thresholds)
        own = calibration(self.answers(outputs), labels)
        changed = {key: metrics[key] for key in CALIBRATED}
        return {**metrics, **own, "calibrated": {"temperature": fitted["temperature"], **changed}}

    def place(self, metrics, advice):
        by_chance = metrics["average_precision_by_chance"]
        found = [f"mean average precision of scores by chance: {by_chance:.4f}"]
        low, high = metrics["mean_average_precision_interval"]
        images = chance.by_images(metrics)
        if low < high:
            found[0] += f"; on more such images: {low:.4f} to {high:.4f} (95 %, by {images})"
        else:  # such as all right: drawn again they stay so
            found[0] += f"; {images} do not say how much it varies on more"
        if low <= by_chance:
            found.append(f"hint: no better than chance, as far as these images show: {advice}")
        return found

    def _positive_weights(self):
        """The weight of each label where it holds, float32 `(num_names,)`."""
        weights = np.ones(self.data.num_classes, "float32")
        if self.recipe.class_weight == BALANCED:
            held = self.data.train.labels.mean(axis=0, dtype="float64")
            return np.minimum((1 - held) / np.maximum(held, 1e-12), MOST_WEIGHT).astype("float32")
        for name, weight in given_weights(self.recipe.class_weight).items():
            weights[index_of(name, self.data.label_names, "class_weight")] = weight
        return weights


class WeightedLabels(keras.losses.Loss):
    """Mean cross-entropy of sigmoids, in which a label that holds has a weight."""

    def __init__(self, weights: np.ndarray):
        super().__init__(name="weighted_labels")
        self.weights = weights

    def call(self, y_true, y_pred):
        y_true, weights = ops.cast(y_true, y_pred.dtype), ops.cast(self.weights, y_pred.dtype)
        holds, not_held = ops.softplus(-y_pred), ops.softplus(y_pred)
        return ops.mean(weights * y_true * holds + (1 - y_true) * not_held, axis=-1)


class LabelMetric(keras.metrics.Metric):
    """F1, the mean over the labels that occur, or the recall of one; a label is found above a logit of 0."""

    def __init__(self, kind: str, label: int | None = None, **options):
        super().__init__(**{"name": kind, **options})
        self.kind, self.label = kind, label
        self.counts = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.counts is None:
            shape = (3, y_pred.shape[-1])
            self.counts = self.add_variable(shape, keras.initializers.Zeros(), name="counts")
        true, found = (ops.cast(a, self.counts.dtype) for a in (y_true > 0.5, y_pred > 0))
        self.counts.assign_add(ops.stack([ops.sum(a, axis=0) for a in (true * found, true, found)]))

    def result(self):
        right, true, found = ops.unstack(ops.convert_to_tensor(self.counts), 3)
        if self.kind == RECALL:
            return (right / ops.maximum(true, 1))[self.label]
        is_there = ops.cast(true > 0, right.dtype)
        scores = 2 * right / ops.maximum(true + found, 1)
        return ops.sum(scores * is_there) / ops.maximum(ops.sum(is_there), 1)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "label": self.label}
