"""A process that trains with others and loses one: a line that says so, and an end within seconds."""

import atexit
import contextlib
import os
import subprocess
import sys

_AGAIN = "Start all of them again, with the same commands and --resume."
LOST = f"Another process of this training has ended, or cannot be reached. {_AGAIN}"
_ABORTED = f"This process of a training was ended, as JAX does where another one is lost. {_AGAIN}"
_REPORT = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.stdin.buffer.read() or print("keras-vit:", sys.argv[1], file=sys.stderr)
"""


class Reporter:
    """Prints a line where this process ends without any, from a process of its own.

    JAX aborts all processes when it loses the first one, from a thread of its own and without an exception.
    """

    def __init__(self):
        command = [sys.executable, "-I", "-S", "-c", _REPORT, _ABORTED]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        atexit.register(self._end)

    def leave_at_exit(self):
        """Ends this process at its exit with code 1: JAX would wait for the lost one, and then abort."""
        atexit.register(self._leave)

    def _leave(self):
        self._end()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)

    def _end(self):
        with contextlib.suppress(OSError):  # it has ended already
            self._process.communicate(b"as it should")
