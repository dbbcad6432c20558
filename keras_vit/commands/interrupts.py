"""Ctrl-C that is not lost where Python cannot raise."""

import _thread
import contextlib
import sys
import threading


@contextlib.contextmanager
def interrupts_kept():
    """Delivers a Ctrl-C again that came inside a callback of the garbage collector or a `__del__`.

    Python prints what is raised there and goes on, so that the program would not stop.
    """
    before = sys.unraisablehook

    def again(unraisable):
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            threading.Timer(0.01, _thread.interrupt_main).start()  # by then that callback has ended
        else:
            before(unraisable)

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = before
