"""Handling of the signals that stop a command."""

import _thread
import contextlib
import signal
import sys
import threading
import time


class Terminated(KeyboardInterrupt):
    """SIGTERM, which stops a command as Ctrl-C does."""

    exit_code = 128 + signal.SIGTERM


@contextlib.contextmanager
def interrupts_kept():
    """Raises `Terminated` on SIGTERM unless it has a handler; delivers it and Ctrl-C even in callbacks.

    Python prints an exception raised inside a callback of the garbage collector or a `__del__` and continues:
    the signal is then delivered again.
    """
    before = sys.unraisablehook

    def redeliver(unraisable):
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            number = signal.SIGTERM if issubclass(unraisable.exc_type, Terminated) else signal.SIGINT
            _thread.start_new_thread(_interrupt_soon, (number,))  # unlike `Thread.start`, it does not wait
        else:
            before(unraisable)

    def terminate(*_):
        raise Terminated

    in_main = threading.current_thread() is threading.main_thread()
    handles_sigterm = in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    sys.unraisablehook = redeliver
    if handles_sigterm:
        signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        sys.unraisablehook = before
        if handles_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt_soon(number):
    time.sleep(0.1)  # the callback has ended by then
    _thread.interrupt_main(number)
