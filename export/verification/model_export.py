"""What the export of one kind of model adds to what all exports share."""

import abc

from keras_vit.export.variants import VARIANTS


class ModelExport(abc.ABC):
    """One model with its held-out data: how its files are written, compared with it, checked and timed."""

    kind: str  # in errors, such as "text"
    variants: tuple = tuple(VARIANTS)
    sample: str  # what a file is verified on, such as "300 images"
    fingerprint: str  # the same for exports of one model
    drop: str  # format of the figure that a variant may lose, such as "{:.2f} points of accuracy"
    differences: dict  # figure, at most FLOAT32_TOLERANCE in float32 variants: what it is a difference of
    least_agreement: float = 0.0  # share of the sample that `auto`'s file must classify as the model does
    timing_rounds: int
    columns: dict  # heading of the table: function from a row to its text

    def settings(self, variant):
        """Returns the settings of an export as columns of its row, a dict."""
        return {}

    def facts(self):
        """Returns what the files take and return, for `export.json`, or None."""
        return None

    def texts(self):
        """Returns files that go with those of the variants, a dict from their names to bytes."""
        return {}

    @staticmethod
    def advice(variant):
        """Returns what helps where a variant loses more than allowed."""
        return "allow more, or choose fp16"

    def guide(self, files):
        """Returns `app.md` for pairs of a row that passed and its TFLite file, or None for none."""
        return None

    @abc.abstractmethod
    def write(self, variant, path, spared=()):
        """Writes a variant with some operators quantized less, and returns a predictor of it."""

    @abc.abstractmethod
    def verify(self, predictor):
        """Returns how a predictor differs from the model, a dict with `drop` and `agreement`."""

    def agreement_on_few(self, predictor):
        """Returns the share of a few items that a predictor classifies as the model does, or None."""
        return None

    def check(self, predictor):  # noqa: B027  most have none
        """Raises ConditionError when a predictor with good figures fails in another way."""

    @abc.abstractmethod
    def timed(self, predictor):
        """Returns a function without arguments; its time is the latency."""

    def sensitivity(self, variant):
        """Returns what each layer costs when quantized, the worst first, as `TfliteWriter.sensitivity`."""
        return []
