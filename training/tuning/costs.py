"""What a model costs: the figures that are measured before training, and the limits on them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Cost:
    """How a figure of a model is shown; less is better.

    Attributes:
        unit: str, the head of its column.
        divisor: float, how much of the figure is one unit.
        label: str, of its axis in a plot.
    """

    unit: str
    divisor: float
    label: str


COSTS = {
    "latency_ms": Cost("ms", 1, "Latency of one image (ms)"),
    "size_bytes": Cost("MB", 1e6, "Size (MB)"),
    "flops": Cost("MFLOPs", 1e6, "Operations for one image (MFLOPs)"),
    "parameters": Cost("parameters", 1, "Parameters"),
}

# Of each limit: the figure that it limits, its unit in messages, and how much of the figure is one unit.
_LIMITED = {
    "max_params": ("parameters", "parameters", 1),
    "max_flops": ("flops", "FLOPs", 1),
    "max_size_mb": ("size_bytes", "MB", 1e6),
    "max_latency_ms": ("latency_ms", "ms", 1),
    "max_params_ratio": ("parameters_ratio", "times the reference's parameters", 1),
    "max_flops_ratio": ("flops_ratio", "times the reference's FLOPs", 1),
    "max_size_ratio": ("size_ratio", "times the reference's size", 1),
    "max_latency_ratio": ("latency_ratio", "times the reference's latency", 1),
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits on what is measured of a model before it is trained; None for no limit.

    Those with `ratio` in their name are relative to a reference model, measured next to each candidate,
    because milliseconds of one machine or day do not hold on another.
    """

    max_params: int | None = None
    max_flops: int | None = None
    max_size_mb: float | None = None
    max_latency_ms: float | None = None
    max_params_ratio: float | None = None
    max_flops_ratio: float | None = None
    max_size_ratio: float | None = None
    max_latency_ratio: float | None = None

    @property
    def given(self):
        """dict of the limits that are set."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

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
            figure, unit, divisor = _LIMITED[name]
            if figure in footprint and footprint[figure] / divisor > allowed:
                return f"{footprint[figure] / divisor:,.5g} {unit}, allowed are {allowed:,.5g}"
        return None


NO_LIMITS = Limits()
