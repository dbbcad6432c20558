"""What is known of each trial, from the events of a journal alone."""

import dataclasses
from typing import Any

from keras_vit.errors import InputError

COMPLETED, STOPPED, MISFIT, FAILED = "completed", "stopped", "misfit", "failed"  # how a trial can end
IMPOSSIBLE = "impossible"  # how the process of a trial ends that raised ImpossibleSearch
DISK_FULL = "disk full"  # how the process of a trial ends that could not write: the trial has not ended


class ImpossibleSearch(InputError):
    """A trial found that no trial can be scored."""


@dataclasses.dataclass
class TrialRecord:
    id: str
    values: dict[str, Any]  # fields of the recipe, and what the oracle adds (`tuner/...`)
    seed: int  # of its recipe
    root: str  # the trial whose run it continues, or its own id
    footprint: dict[str, float] = dataclasses.field(default_factory=dict)  # measured of the untrained model
    epochs: dict[int, dict[str, float]] = dataclasses.field(default_factory=dict)  # metrics, by epoch from 1
    halted: bool = False  # the oracle asked it to stop
    status: str | None = None  # a constant of this module; None until it ends
    score: float | None = None  # the best value of the objective
    reason: str | None = None  # why it failed
    seconds: float = 0.0  # how long its processes ran

    @property
    def is_scored(self):
        return self.status in (COMPLETED, STOPPED)

    @property
    def failed_untrained(self):
        """Whether it failed before there was a model to train."""
        return self.status == FAILED and not self.footprint and not self.epochs

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
