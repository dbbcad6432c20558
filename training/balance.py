"""Classes of unequal size: their weights in the loss, and the metric that chooses the best epoch."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_vit.errors import InputError, listed
from keras_vit.training.data import ImageData
from keras_vit.training.data.label_kinds import counts_of

BALANCED = "balanced"
ACCURACY, BALANCED_ACCURACY, MACRO_F1, RECALL = "accuracy", "balanced_accuracy", "macro_f1", "recall"
OF_CLASSES = (ACCURACY, BALANCED_ACCURACY, MACRO_F1, RECALL)
WHOLE = (ACCURACY, BALANCED_ACCURACY, MACRO_F1, "mean_average_precision", "mean_absolute_error")
UNEQUAL = 30  # times as many images of one class as of another, from which accuracy says little


def check_monitor(text: str, name: str):
    """Raises InputError unless it is `"recall:CLASS"` or one of `WHOLE`, for which the labels decide."""
    kind, _, label = text.partition(":")
    if not (kind in WHOLE and not label or kind == RECALL and label):
        raise InputError(f"Expected {name} to be {', '.join(WHOLE)} or {RECALL}:CLASS, received {text!r}.")


@dataclasses.dataclass(frozen=True, eq=False)
class Balance:
    """What a training does about classes of unequal size."""

    weights: np.ndarray | None = None  # of each class in the loss; None: all the same
    adjustment: np.ndarray | None = None  # what is added to the logits in training
    monitor: str = ACCURACY  # the metric of the validation images that chooses the best epoch
    label: int | None = None  # the class whose recall that is
    note: str | None = None  # a line on what was decided by the data

    @classmethod
    def of(cls, recipe, data: ImageData) -> "Balance":
        """Returns what a recipe says about the classes of its data.

        Raises:
            InputError: weights or a recall of an unknown class.
        """
        counts = counts_of(data.train.labels, data.label_kind, data.num_classes)
        weights = adjustment = None
        if recipe.class_weight is not None:
            weights = class_weights(recipe.class_weight, counts, data.label_names)
        if recipe.logit_adjustment:
            shares = np.maximum(counts, 1) / counts.sum()
            adjustment = (recipe.logit_adjustment * np.log(shares)).astype("float32")
        monitor, _, name = (recipe.monitor or "").partition(":")
        if monitor not in ("", *OF_CLASSES):
            raise InputError(
                f"Expected monitor to be {', '.join(OF_CLASSES[:-1])} or {RECALL}:CLASS for classes, "
                f"received {recipe.monitor!r}."
            )
        label = None if not name else index_of(name, data.label_names, "monitor")
        note = None
        if not monitor:
            monitor, note = ACCURACY, None
            ratio = counts.max() / max(counts.min(), 1)
            if ratio >= UNEQUAL:
                monitor = BALANCED_ACCURACY
                largest, smallest = (data.label_names[i] for i in (counts.argmax(), counts.argmin()))
                note = (
                    f"best epoch  by balanced accuracy, as {largest} has {ratio:,.0f} times the images of "
                    f"{smallest}; monitor=accuracy changes that"
                )
        return cls(weights, adjustment, monitor, label, note)

    def loss(self, loss):
        """Returns a loss of logits that adds the adjustment to them."""
        return loss if self.adjustment is None else AdjustedLoss(loss, self.adjustment)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns the metric that chooses the best epoch, unless it is accuracy."""
        return [] if self.monitor == ACCURACY else [ClassMetric(self.monitor, self.label)]


class AdjustedLoss(keras.losses.Loss):
    """Another loss, of logits to which numbers are added: rare classes have to win by more.

    The logits of the trained model, without the addition, then suit classes of equal size.

    Reference: Menon et al. 2021, equation 10, https://arxiv.org/abs/2007.07314
    """

    def __init__(self, loss: keras.losses.Loss, adjustment: np.ndarray):
        super().__init__(name="adjusted_loss", reduction=loss.reduction)
        self.loss, self.adjustment = loss, adjustment

    def call(self, y_true, y_pred):
        return self.loss.call(y_true, y_pred + ops.cast(self.adjustment, y_pred.dtype))


class ClassMetric(keras.metrics.Metric):
    """A metric that counts each class by itself: the mean over the classes that have images, or one of them.

    Args:
        kind: `"balanced_accuracy"`, the mean recall; `"macro_f1"`; or `"recall"`.
        label: int, the class of `"recall"`.
    """

    def __init__(self, kind: str, label: int | None = None, **options):
        super().__init__(**{"name": kind, **options})
        self.kind, self.label = kind, label
        self.counts = None

    def build(self, num_classes: int):
        """Creates the counts of each class: right, true and predicted ones."""
        self.counts = self.add_variable((3, num_classes), keras.initializers.Zeros(), name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        num_classes = y_pred.shape[-1]
        if self.counts is None:
            self.build(num_classes)
        true = ops.one_hot(ops.argmax(y_true, axis=-1), num_classes)
        predicted = ops.one_hot(ops.argmax(y_pred, axis=-1), num_classes)
        found = ops.stack([ops.sum(a, axis=0) for a in (true * predicted, true, predicted)])
        self.counts.assign_add(ops.cast(found, self.counts.dtype))

    def result(self):
        right, true, predicted = ops.unstack(ops.convert_to_tensor(self.counts), 3)
        of_class = right / ops.maximum(true, 1)
        if self.kind == RECALL:
            return of_class[self.label]
        if self.kind == MACRO_F1:
            of_class = 2 * right / ops.maximum(true + predicted, 1)
        is_there = ops.cast(true > 0, of_class.dtype)
        return ops.sum(of_class * is_there) / ops.maximum(ops.sum(is_there), 1)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "label": self.label}


def class_weights(text: str, counts: np.ndarray, label_names: Sequence[str]) -> np.ndarray:
    """Returns the weight of each class, whose mean over the images is 1 where they are `"balanced"`.

    Example:
        >>> class_weights("balanced", np.array([75, 25]), ("cat", "dog")).round(2)
        array([0.67, 2.  ], dtype=float32)
        >>> class_weights("dog:20", np.array([90, 10]), ("cat", "dog")).tolist()
        [1.0, 20.0]
    """
    if text == BALANCED:
        return (counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype("float32")
    weights = np.ones(len(label_names), "float32")
    for name, weight in given_weights(text).items():
        weights[index_of(name, label_names, "class_weight")] = weight
    return weights


def given_weights(text: str, name: str = "class_weight") -> dict[str, float]:
    """Reads `"NAME:WEIGHT,..."`; `"balanced"` is an empty dict."""
    if text == BALANCED:
        return {}
    weights = {}
    for part in str(text).split(","):
        label, _, number = part.rpartition(":")
        try:
            weight = float(number)
        except ValueError:
            weight = np.nan
        if not label or not 0 <= weight <= 1e6:
            raise InputError(
                f"Expected {name} to be {BALANCED} or CLASS:WEIGHT,... with weights from 0 to 1,000,000, "
                f"received {text!r}."
            )
        if label.strip() in weights:
            raise InputError(f"Expected {name} to name each class once, received {label.strip()} twice.")
        weights[label.strip()] = weight
    return weights


def check_watched(monitor: str | None, data: ImageData) -> None:
    """Checks that the validation images can say the recall that chooses the best epoch."""
    kind, _, label = (monitor or "").partition(":")
    if kind != RECALL or label not in data.label_names:
        return
    counts = counts_of(data.validation.labels, data.label_kind, data.num_classes)
    if not counts[index_of(label, data.label_names, "monitor")]:
        raise InputError(
            f"Expected validation images of {label} for monitor={monitor}, found none. Add some, or choose "
            "another monitor."
        )


def index_of(name: str, label_names: Sequence[str], field: str) -> int:
    """Returns the index of the class that a field names."""
    if name not in label_names:
        raise InputError(
            f"Expected {field} to name a class of the data, {listed(label_names)}, received {name!r}."
        )
    return list(label_names).index(name)
