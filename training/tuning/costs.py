"""What a model costs: the figures that are measured before training, and the limits on them."""

from typing import Annotated, NamedTuple, TypedDict

from keras_vit.constraints import Range
from keras_vit.errors import InputError


class Cost(NamedTuple):
    """How a figure of a model is shown; less is better."""

    unit: str  # the head of its column
    divisor: float  # how much of the figure is one unit
    label: str  # of its axis in a plot


class Limit(NamedTuple):
    figure: str  # what it limits
    unit: str  # in messages
    divisor: float = 1  # how much of the figure is one unit


COSTS = {
    "latency_ms": Cost("ms", 1, "Latency of one item (ms)"),
    "size_bytes": Cost("MB", 1e6, "Size (MB)"),
    "flops": Cost("MFLOPs", 1e6, "Operations for one item (MFLOPs)"),
    "parameters": Cost("parameters", 1, "Parameters"),
}
# Ratios are relative to a reference model, measured next to each candidate, because milliseconds of one
# machine or day do not hold on another.
LIMITS = {
    "max_params": Limit("parameters", "parameters"),
    "max_flops": Limit("flops", "FLOPs"),
    "max_size_mb": Limit("size_bytes", "MB", 1e6),
    "max_latency_ms": Limit("latency_ms", "ms"),
    "max_params_ratio": Limit("parameters_ratio", "times the reference's parameters"),
    "max_flops_ratio": Limit("flops_ratio", "times the reference's FLOPs"),
    "max_size_ratio": Limit("size_ratio", "times the reference's size"),
    "max_latency_ratio": Limit("latency_ratio", "times the reference's latency"),
}


Amount = Annotated[float | None, Range(0)]


class LimitOptions(TypedDict, total=False):
    """Limits as keywords of a function, those of `LIMITS`."""

    max_params: Amount
    max_flops: Amount
    max_size_mb: Amount
    max_latency_ms: Amount
    max_params_ratio: Amount
    max_flops_ratio: Amount
    max_size_ratio: Amount
    max_latency_ratio: Amount


class Limits:
    """Limits on what is measured of a model before it is trained: keys of `LIMITS`; None for no limit."""

    def __init__(self, **limits: float | None):
        if unknown := limits.keys() - LIMITS.keys():
            raise InputError(
                f"Unknown argument {', '.join(sorted(unknown))}: expected limits named {', '.join(LIMITS)}."
            )
        self.given = {name: limits[name] for name in LIMITS if limits.get(name) is not None}

    @property
    def needs_reference(self):
        return any(name.endswith("ratio") for name in self.given)

    @property
    def needs_measuring(self):
        """Whether a limit is on more than the number of parameters."""
        return any("params" not in name for name in self.given)

    def exceeded(self, footprint):
        """Returns which limit a model exceeds, as a message, or None. Unknown figures exceed nothing."""
        for name, allowed in self.given.items():
            figure, unit, divisor = LIMITS[name]
            if figure in footprint and footprint[figure] / divisor > allowed:
                return f"{footprint[figure] / divisor:,.5g} {unit}, allowed are {allowed:,.5g}"
        return None


NO_LIMITS = Limits()
