"""What a model may cost."""

import dataclasses

# Of each limit: the figure that it limits, its unit for people, and how many of the figure make one.
_FIGURES = {
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

    Those with `ratio` in their name are relative to a reference model, measured beside each candidate, since
    milliseconds do not carry over from one machine or day to another.
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
        """Whether more has to be known of a model than its parameters."""
        return any("params" not in name for name in self.given)

    def exceeded(self, footprint):
        """Returns why a model is over a limit, or None; figures that are not known yet are within."""
        for name, allowed in self.given.items():
            figure, unit, divisor = _FIGURES[name]
            if figure in footprint and footprint[figure] / divisor > allowed:
                return f"{footprint[figure] / divisor:,.5g} {unit}, allowed are {allowed:,.5g}"
        return None


NO_LIMITS = Limits()
