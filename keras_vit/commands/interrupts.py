"""Handling of the signals that stop a command."""

import _thread
import contextlib
import signal
import sys
import threading


class Terminated(KeyboardInterrupt):
    """SIGTERM, which stops a command as Ctrl-C does."""

    exit_code = 128 + signal.SIGTERM


@contextlib.contextmanager
def interrupts_kept():
    """Raises `Terminated` on SIGTERM, and delivers it and Ctrl-C even where Python cannot raise.

    Python prints an exception raised inside a callback of the garbage collector or a `__del__` and continues:
    the signal is then delivered again.
    """
    before = sys.unraisablehook

    def redeliver(unraisable):
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            number = signal.SIGTERM if issubclass(unraisable.exc_type, Terminated) else signal.SIGINT
            threading.Timer(0.01, _thread.interrupt_main, [number]).start()  # that callback has ended by then
        else:
            before(unraisable)

    sys.unraisablehook = redeliver
    try:
        with _sigterm_raised():
            yield
    finally:
        sys.unraisablehook = before


@contextlib.contextmanager
def _sigterm_raised():
    """Installs a handler for SIGTERM unless there is one already."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def terminate(*_):
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
