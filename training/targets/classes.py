"""One class for each image, or a share of each class."""

import keras
import numpy as np
from scipy.special import softmax

from keras_vit.io.label_kinds import CLASS, SOFT
from keras_vit.io.output_meaning import calibrated
from keras_vit.training import chance
from keras_vit.training.balance import ACCURACY, Balance
from keras_vit.training.classification_metrics import (
    calibration_bins,
    classification_metrics,
    expected_calibration_error,
)
from keras_vit.training.metrics import IMAGES
from keras_vit.training.targets.calibration import CALIBRATED, fit_calibration, softmax_loss
from keras_vit.training.targets.target import Target
from keras_vit.training.targets.unknown import none_of_these


class Classes(Target):
    """One of some classes: softmax and cross-entropy."""

    kind, words = CLASS, "classes"
    metrics = IMAGES
    curve = ACCURACY
    task, activation = "classification", "softmax"

    def __init__(self, recipe, data=None):
        super().__init__(recipe, data)
        known = (recipe.monitor or ACCURACY).partition(":")[0]
        self.balance = Balance(monitor=known) if data is None else Balance.of(recipe, data)
        if self.balance.note:
            self.notes.append(self.balance.note)

    @property
    def monitor(self):
        return self.balance.monitor, "max"

    def loss(self):
        if self.recipe.loss == "hinge":
            return keras.losses.CategoricalHinge()
        smoothing = self.recipe.label_smoothing if self.kind == CLASS else 0.0
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        return self.balance.loss(loss)

    def logged_metrics(self):
        return [keras.metrics.CategoricalAccuracy(name=ACCURACY), *self.balance.metrics()]

    def weights(self):
        return self.balance.weights

    def answers(self, outputs, fitted=None):
        return softmax(calibrated(outputs, **(fitted or {})), axis=1).astype("float32")

    def fit(self, outputs, labels):
        return fit_calibration(outputs, softmax_loss(self.encoded(labels)))

    def evaluate(self, outputs, labels, names, fitted):
        own, changed = (self._metrics(outputs, labels, names, each) for each in (None, fitted))
        return {
            **own,
            "calibrated": {**fitted, **{key: changed[key] for key in CALIBRATED if key in changed}},
        }

    def _metrics(self, outputs, labels, names, fitted):
        return classification_metrics(self.answers(outputs, fitted), labels, names)

    def place(self, metrics, advice):
        found = metrics.get("none_of_these")
        return [*chance.lines(metrics, advice), *([none_of_these(found)] if found else [])]


class SoftClasses(Classes):
    """A share of each class, such as the votes of several people. The class with the largest share counts."""

    kind, words = SOFT, "soft labels"
    unused = ("label_smoothing",)

    def __init__(self, recipe, data=None):
        super().__init__(recipe, data)
        if recipe.label_smoothing:
            self.notes.append("soft labels as they are, without label smoothing")

    def evaluate(self, outputs, labels, names, fitted):
        shares = np.where(labels > 0, labels, 1).astype("float64")
        least = float(-(shares * np.log(shares)).sum(axis=1).mean())  # of a model that answers the shares
        return {**super().evaluate(outputs, labels, names, fitted), "least_cross_entropy": least}

    def _metrics(self, outputs, labels, names, fitted):
        """Those of the largest shares; probabilities are right by the share of the class that is answered."""
        metrics = super()._metrics(outputs, labels.argmax(axis=1), names, fitted)
        del metrics["calibration_error_by_chance"]  # shares are not drawn one answer at a time
        answers = self.answers(outputs, fitted)
        bins = calibration_bins(answers.max(axis=1), labels[np.arange(len(labels)), answers.argmax(axis=1)])
        return {
            **metrics,
            "cross_entropy": softmax_loss(labels)(calibrated(outputs, **(fitted or {}))) / len(labels),
            "expected_calibration_error": expected_calibration_error(bins),
            "calibration_bins": bins,
        }

    def labels_of_export(self, labels):
        return labels.argmax(axis=1).astype("int32")
