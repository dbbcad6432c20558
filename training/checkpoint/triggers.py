"""When a state is saved in addition to the end of an epoch: after an interval, and on Ctrl-C or SIGTERM."""

import dataclasses
import os
import re
import signal
import sys
import threading
import time

from keras_vit.errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclasses.dataclass(frozen=True)
class CheckpointInterval:
    """Steps or seconds between two saved states; both None for the end of each epoch only.

    Example:
        >>> CheckpointInterval.parse("500"), CheckpointInterval.parse("10m")
        (CheckpointInterval(steps=500, seconds=None), CheckpointInterval(steps=None, seconds=600.0))
    """

    steps: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text):
        """Reads a number of steps, or a time such as `30s`, `10m`, `1.5h`; None for neither."""
        interval = cls()
        if text is None:
            return interval
        match = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)([smh])", str(text).strip())
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

    def is_due(self, steps: int, since: float) -> bool:
        """Returns whether to save, `steps` and since that `time.monotonic()` after the last saved state."""
        if self.steps is not None:
            return steps >= self.steps
        return self.seconds is not None and time.monotonic() - since >= self.seconds


_SAME = 0.5  # seconds within which a second Ctrl-C is the first one, sent to the group and passed on


class Interrupted(KeyboardInterrupt):
    """A training was stopped from outside, and saved: the same call with `resume=True` continues it.

    It is a KeyboardInterrupt, which `except Exception` lets pass. `train` raises it after Ctrl-C and SIGTERM.

    Args:
        message: str, where the training stopped and how it continues.
        exit_code: int, 130 after Ctrl-C and 143 after SIGTERM, as shells report them.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import ImageRecipe, Interrupted, train
        >>> recipe = ImageRecipe(model="linear", epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     try:
        ...         run = train(recipe, folder)
        ...     except Interrupted:
        ...         run = train(recipe, folder, resume=True)
    """

    def __init__(self, message, exit_code):
        super().__init__(message)
        self.exit_code = exit_code


class Interruption:
    """A context that records the first Ctrl-C or SIGTERM; a later Ctrl-C ends the process immediately.

    A thread reads the signals, so that they are noticed during a long step too. Outside the main thread,
    where Python allows no signal handlers, nothing is recorded. On leaving without an error, a signal that
    the training did not handle is raised as Interrupted.
    """

    def __init__(self):
        self.signal = None  # the recorded signal, an int

    def __enter__(self):
        self._handlers = {}
        if threading.current_thread() is threading.main_thread():
            self._reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
            self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, lambda *_: None)
        return self

    def __exit__(self, error_type, *_):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._handlers:
            signal.set_wakeup_fd(self._wakeup)
            os.close(self._writer)
            self._thread.join()  # reads what arrived in the last moment
            os.close(self._reader)
        if self.signal is not None and error_type is None:
            raise self.error("interrupted after the training, before its evaluation.")

    def error(self, message):
        """Returns the error to raise once the state is saved."""
        return Interrupted(message, 128 + self.signal)

    def _watch(self):
        while received := os.read(self._reader, 1):
            number = received[0]
            if number == signal.SIGINT and self.signal is not None:
                if self.signal == number and time.monotonic() - self._when < _SAME:
                    continue
                os._exit(128 + signal.SIGINT)
            if number in (signal.SIGINT, signal.SIGTERM) and self.signal is None:
                self.signal, self._when = number, time.monotonic()
                print("\nSaving the state after this step. Ctrl-C again stops immediately.", file=sys.stderr)
