"""What a kind of model adds to the common way of an export."""

import abc

from keras_vit.export.variants import VARIANTS


class ModelExport(abc.ABC):
    """One model with its held-out data: how its files are written, compared with it, checked and timed."""

    kind: str  # "images" or "text"
    variants: tuple = tuple(VARIANTS)
    sample: str  # what a file is verified on, such as "300 images"
    fingerprint: str  # the same for exports of one model
    drop: str  # format of the figure that a variant may lose, such as "{:.2f} points of accuracy"
    advice: str  # what helps when it loses more
    differences: (
        dict  # figure that stays below FLOAT32_TOLERANCE in exact variants: what it is a difference of
    )
    least_agreement: float = 0.0  # share of the sample on which a file that `auto` keeps answers as the model
    timing_rounds: int
    columns: dict  # heading of the table: function from a row to its text

    def settings(self, variant):
        """Returns the columns of a row that tell exports with other settings apart, a dict."""
        return {}

    @abc.abstractmethod
    def write(self, variant, path, float_operators=()):
        """Writes a variant, some operators of which stay in float, and returns a predictor of it."""

    @abc.abstractmethod
    def verify(self, predictor):
        """Returns how a predictor differs from the model, a dict with `drop` and `top1_agreement`."""

    def check(self, predictor):  # noqa: B027  most have none
        """Raises ConditionError when a predictor whose figures are good fails otherwise."""

    @abc.abstractmethod
    def timed(self, predictor):
        """Returns the function without arguments whose time is the latency."""

    def sensitivity(self, variant):
        """Returns what each layer costs when quantized, the worst first, as `TfliteWriter.sensitivity`."""
        return []
