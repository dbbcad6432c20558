"""Starts processes that do one job each, and receives their messages."""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from pathlib import Path

from keras_vit.importing import ending_of
from keras_vit.io.files import errors_to
from keras_vit.training.tuning.state.records import FAILED

PRELOAD = ("keras_vit.training.tuning.workers.trial",)
TRIES = 3  # of a job whose process is killed each time before it has come further
_FROM_OUTSIDE = (-9, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT)


class Processes:
    """Runs functions, each in a process forked from one which has imported everything and done nothing.

    That saves the seconds that TensorFlow takes to import, and no memory of a trial outlives it. Where a
    system has no `forkserver`, each process starts from nothing. What processes write before they have a log
    of their own goes to `log`; the module of `measure` is imported in advance, too. The script that runs is
    not imported again, unless `measure` is defined there: it may have no `if __name__ == "__main__"`.
    """

    def __init__(self, log: str | Path, measure: Callable | None = None):
        methods = multiprocessing.get_all_start_methods()
        self.context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._running = set()
        self._stopping = False
        self._needs_script = getattr(measure, "__module__", None) == "__main__"
        if "forkserver" in methods:
            preload = [*PRELOAD, *([] if measure is None or self._needs_script else [measure.__module__])]
            self.context.set_forkserver_preload(preload)
            with open(log, "ab") as file, errors_to(file):
                multiprocessing.forkserver.ensure_running()

    def run(
        self,
        target: Callable,
        job,
        on_message: Callable = lambda kind, *content: None,
        progress: Callable = lambda: None,
        name: str = "its process",
    ) -> tuple | None:
        """Runs `target(job, connection)`, a function of a module, again when it is killed from outside.

        It sends tuples, finally `("ended", status, reason)`, and `("running", what)` where a user's code
        begins. The others are given to `on_message`, whose answer is sent back unless it is None. What
        `progress()` returns changes when the job comes further. Returns `(status, reason)`; `FAILED`, how it
        ended and what it was running for a process that died, which is called `name`; None after `stop`.
        """
        tries, before = 0, None
        while not self._stopping:
            tries = tries + 1 if progress() == before else 1
            before = progress()
            outcome, running, code = self._run_once(target, job, on_message)
            if outcome is not None:
                return outcome
            ending = f"{name} {ending_of(code)}" + (f" in {running}" if running else "")
            if code not in _FROM_OUTSIDE:
                return FAILED, ending
            if tries == TRIES:
                return FAILED, f"{ending}, {TRIES} times at one place: perhaps out of memory"
        return None

    def stop(self):
        """Lets all processes save their state and end, and starts no more."""
        self._stopping = True
        for process in tuple(self._running):
            process.terminate()

    def _run_once(self, target, job, on_message):
        """Returns the outcome, or None where none was sent, what was running, and the exit code."""
        with tempfile.TemporaryDirectory(prefix="keras-vit-", ignore_cleanup_errors=True) as folder:
            ours, theirs = self.context.Pipe()
            process = self.context.Process(target=_run, args=(folder, target, job, theirs), daemon=True)
            with contextlib.nullcontext() if self._needs_script else _script_hidden():
                process.start()
            theirs.close()
            self._running.add(process)
            try:
                outcome, running = _receive(ours, on_message)
            except BaseException:
                process.kill()
                raise
            finally:
                process.join()
                self._running.discard(process)
                ours.close()
            return outcome, running, process.exitcode


_starting = threading.Lock()


@contextlib.contextmanager
def _script_hidden():
    """Keeps a process that is started from importing the script, as `multiprocessing` lets it do."""
    with _starting:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script


def _run(folder, target, job, connection):
    """Runs a job with a folder for its temporary files: it may be killed, and never runs `atexit`."""
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    target(job, connection)


def _receive(connection, on_message):
    running = ""
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            kind, *content = connection.recv()
            if kind == "ended":
                return tuple(content), running
            if kind == "running":
                (running,) = content
            elif (answer := on_message(kind, *content)) is not None:
                connection.send(answer)
    return None, running
