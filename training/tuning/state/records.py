"""What is known of each trial, from the events of a journal alone."""

import dataclasses

COMPLETED, STOPPED, MISFIT, FAILED = "completed", "stopped", "misfit", "failed"  # how a trial can end


@dataclasses.dataclass
class TrialRecord:
    """One trial.

    Attributes:
        id: str.
        values: dict from a field of the recipe to its value, with what the oracle adds (`tuner/...`).
        seed: int, of its recipe.
        root: str, the trial whose run it continues, or its own id.
        footprint: dict of what was measured of the untrained model, such as `parameters` and `latency_ms`.
        epochs: dict from an epoch, counted from 1, to a dict of metrics.
        halted: bool, whether the oracle asked it to stop.
        status: one of the constants of this module; None until it ends.
        score: float, the best value of the objective; None without one.
        reason: str, why it failed.
        seconds: float, how long its processes ran.
    """

    id: str
    values: dict
    seed: int
    root: str
    footprint: dict = dataclasses.field(default_factory=dict)
    epochs: dict = dataclasses.field(default_factory=dict)
    halted: bool = False
    status: str | None = None
    score: float | None = None
    reason: str | None = None
    seconds: float = 0.0

    @property
    def is_scored(self):
        return self.status in (COMPLETED, STOPPED)

    @property
    def progress(self):
        """Changes whenever the trial has come further."""
        return bool(self.footprint), len(self.epochs)

    @property
    def fields(self):
        """The values that are fields of the recipe."""
        return {name: value for name, value in self.values.items() if not name.startswith("tuner/")}

    @property
    def first_epoch(self):
        """The first epoch of the recipe, from 1, that belongs to this trial, not to one that it continues."""
        return self.values.get("tuner/initial_epoch", 0) + 1

    @property
    def until_epoch(self):
        """Epochs after which this trial pauses, or None for all of the recipe's."""
        return self.values.get("tuner/epochs")
