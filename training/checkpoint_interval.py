"""How often a run's state is saved."""

import dataclasses
import re
import time

from keras_vit.errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclasses.dataclass(frozen=True)
class CheckpointInterval:
    """Steps or seconds from one saved state to the next; None for both: at the end of an epoch only.

    Example:
        >>> CheckpointInterval.parse("500"), CheckpointInterval.parse("10m")
        (CheckpointInterval(steps=500, seconds=None), CheckpointInterval(steps=None, seconds=600.0))
    """

    steps: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text):
        """Reads a number of steps, or a time such as `30s`, `10m`, `1.5h`; None for neither.

        Raises:
            InputError: neither, or not above 0.
        """
        if text is None:
            return cls()
        match = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)([smh])", str(text).strip())
        interval = cls()
        if match and match[1]:
            interval = cls(steps=int(match[1]))
        elif match:
            interval = cls(seconds=float(match[2]) * _SECONDS[match[3]])
        if not (interval.steps or interval.seconds):
            raise InputError(
                f"Expected --checkpoint-every as a number of steps (500) or a time (30s, 10m, 1h), "
                f"received {text!r}."
            )
        return interval

    def is_due(self, steps, since):
        """Tells whether to save, that many steps and since that `time.monotonic()` after the last time."""
        if self.steps is not None:
            return steps >= self.steps
        return self.seconds is not None and time.monotonic() - since >= self.seconds
