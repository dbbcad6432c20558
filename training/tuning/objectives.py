"""What a search improves: a logged metric, and whether greater or smaller values of it are better."""

import keras_tuner
from keras_tuner.engine.metrics_tracking import infer_metric_direction

from keras_vit.errors import InputError

# Metrics of Keras that KerasTuner 1.4.8 would minimize, without underscores.
_GREATER_IS_BETTER = {"f1score", "fbetascore", "r2score", "iou", "binaryiou", "meaniou", "onehotiou"}
_GREATER_IS_BETTER |= {"onehotmeaniou", "precisionatrecall", "recallatprecision"}
_GREATER_IS_BETTER |= {"pearsoncorrelation", "concordancecorrelation"}
_UNCLEAR = {"cosinesimilarity"}  # better when greater as a metric, when smaller as a loss


def read_objective(given: str | keras_tuner.Objective) -> tuple[str, str]:
    """Returns the name of a metric and `"min"` or `"max"`.

    `given` is a name such as `"val_auc"`, whose direction follows from the metric of Keras that has this
    name, `"min:NAME"`, `"max:NAME"`, or a `keras_tuner.Objective`.

    Raises:
        InputError: the direction is unknown, or there are several objectives.

    Example:
        >>> read_objective("val_auc"), read_objective("min:val_price")
        (('val_auc', 'max'), ('val_price', 'min'))
    """
    if isinstance(given, keras_tuner.Objective) and not hasattr(given, "objectives"):
        return given.name, given.direction
    if not isinstance(given, str) or not given or "," in given:
        received = given if isinstance(given, list | str) else type(given).__name__
        raise InputError(
            "Expected one objective, such as 'val_accuracy', 'min:val_price' or keras_tuner.Objective("
            f"'val_price', 'min'), received {received}."
        )
    direction, colon, name = given.partition(":")
    if colon:
        if direction not in ("min", "max") or not name:
            raise InputError(f"Expected the objective as min:NAME or max:NAME, received {given!r}.")
        return name, direction
    return given, direction_of(given)


def direction_of(name: str) -> str:
    """Returns `"min"` or `"max"` for a metric that has the name of one of Keras, with or without `val_`."""
    plain = name.removeprefix("val_").replace("_", "").lower()
    if plain in _GREATER_IS_BETTER:
        return "max"
    found = None if plain in _UNCLEAR else infer_metric_direction(name)
    if found is None:
        raise InputError(
            f"Whether greater or smaller values of {name!r} are better is unknown. Write max:{name} or "
            f"min:{name}."
        )
    return found
