"""Ctrl-C and SIGTERM: the running step ends, the state is saved, then the training stops."""

import os
import signal
import sys
import threading


class Interrupted(KeyboardInterrupt):
    """A training was stopped from outside, and can go on.

    Attributes:
        exit_code: int, 130 after Ctrl-C, 143 after SIGTERM, as shells report them.
    """

    def __init__(self, message, exit_code):
        super().__init__(message)
        self.exit_code = exit_code


class Interruption:
    """Notes the first Ctrl-C or SIGTERM while it is entered; a Ctrl-C after it ends the process at once.

    The signals are read in a thread of their own, so that they are noticed also during a long step. Outside
    the main thread, where Python allows no signal handlers, nothing is noted. What nobody answered
    meanwhile is raised at the end.

    Attributes:
        signal: int, the signal that asks to stop, or None.

    Raises:
        Interrupted: on leaving, when there was a signal and no error.
    """

    def __init__(self):
        self.signal = None

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
            self._thread.join()  # what came at the last moment is read, too
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
                os._exit(128 + signal.SIGINT)
            if number in (signal.SIGINT, signal.SIGTERM) and self.signal is None:
                self.signal = number
                print("\nSaving the state after this step. Ctrl-C again stops at once.", file=sys.stderr)
