"""A number for each image, or a few."""

import keras
import numpy as np
from keras import ops

from keras_vit.errors import InputError
from keras_vit.io.label_kinds import NUMBERS
from keras_vit.training import chance
from keras_vit.training.metrics import NUMBERS as SHOWN
from keras_vit.training.number_metrics import number_metrics
from keras_vit.training.targets.target import Target

MEAN_ABSOLUTE_ERROR = "mean_absolute_error"
SCALE = "numbers"  # name of the layer that gives numbers their mean and spread


class Numbers(Target):
    """Numbers, such as an age: the squared error, in units of each number's standard deviation.

    The cross-entropy of a normal distribution around the answer is that error, up to a constant.
    """

    kind = NUMBERS
    metrics = SHOWN
    curve, curve_is_better = MEAN_ABSOLUTE_ERROR, "min"
    task, activation = "regression", None
    words = "numbers"
    unused = ("label_smoothing", "cutmix_alpha", "logit_adjustment")

    def __init__(self, recipe, data=None):
        super().__init__(recipe, data)
        if recipe.monitor not in (None, MEAN_ABSOLUTE_ERROR):
            raise InputError(
                f"Expected monitor to be none (the loss) or {MEAN_ABSOLUTE_ERROR} for numbers, received "
                f"{recipe.monitor!r}."
            )
        if recipe.class_weight:
            raise InputError("class_weight is for classes, and the data have numbers. Leave it out.")
        if recipe.loss == "hinge":
            raise InputError("loss=hinge is for classes, and the data have numbers. Leave it out.")
        self.mean = self.spread = None
        if data is not None:
            labels = data.train.labels.astype("float64")
            self.mean, self.spread = labels.mean(axis=0), labels.std(axis=0)
            self.notes.append("numbers     squared error in units of each one's standard deviation")

    @property
    def monitor(self):
        if self.recipe.monitor is None:
            return "loss", "min"
        return MEAN_ABSOLUTE_ERROR, "min"

    def loss(self):
        return StandardizedError(np.ones(1) if self.spread is None else self.spread)

    def logged_metrics(self):
        return [keras.metrics.MeanAbsoluteError(name=MEAN_ABSOLUTE_ERROR)]

    def finished(self, model):
        scale = keras.layers.Rescaling(self.spread.tolist(), self.mean.tolist(), dtype="float32", name=SCALE)
        return keras.Model(model.inputs, scale(model.outputs[0]), name=model.name)

    def answers(self, outputs, fitted=None):
        return outputs.astype("float32")

    def evaluate(self, outputs, labels, names, fitted):
        return number_metrics(outputs, labels, names)

    def place(self, metrics, advice):
        low, high = metrics["error_interval"]
        found = [
            f"mean absolute error on more such images: {low:.4g} to {high:.4g} (95 %, by "
            f"{chance.by_images(metrics)}); always the median: {metrics['error_of_median']:.4g}"
        ]
        if high >= metrics["error_of_median"]:
            found.append(f"hint: no better than always the median, as far as these images show: {advice}")
        return found


class StandardizedError(keras.losses.Loss):
    """Half the squared error, each number in units of its standard deviation."""

    def __init__(self, spread: np.ndarray):
        super().__init__(name="standardized_error")
        self.spread = np.asarray(spread, "float32")

    def call(self, y_true, y_pred):
        error = (ops.cast(y_true, y_pred.dtype) - y_pred) / ops.cast(self.spread, y_pred.dtype)
        return ops.mean(ops.square(error), axis=-1) / 2
