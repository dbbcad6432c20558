"""Starts processes that do one job each, and receives their messages."""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
import tempfile

from keras_vit.training.tuning.state.records import FAILED

PRELOAD = ("keras_vit.training.tuning.workers.trial",)
TRIES = 3  # of a job whose process is killed each time before it has come further
_FROM_OUTSIDE = (-9, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT)


class Listener:
    """What receives the messages of a process; this one ignores them.

    Attributes:
        progress: a value that changes when the job has come further.
    """

    progress = None

    def on_message(self, kind, *content):
        """Receives a message. The return value is sent back unless it is None."""


class Processes:
    """Runs functions, each in a process forked from one which has imported everything and done nothing.

    That saves the seconds that TensorFlow takes to import, and no memory of a trial outlives it. Where a
    system has no `forkserver`, each process starts from nothing.

    Args:
        log: str or Path of a file for what the processes write before they have one of their own.
        measure: function whose module is imported in advance, or None.
    """

    def __init__(self, log, measure=None):
        methods = multiprocessing.get_all_start_methods()
        self.context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._running = set()
        self._stopping = False
        if "forkserver" in methods:
            self.context.set_forkserver_preload([*PRELOAD, *([measure.__module__] if measure else [])])
            with _errors_to(log):
                multiprocessing.forkserver.ensure_running()

    def run(self, target, job, listener=None):
        """Runs `target(job, connection)` to its end, again when it is killed from outside.

        Args:
            target: function of a module. It sends tuples, the last of which is `("ended", status, reason)`.
            job: any value that can be pickled; it is pickled for each try.
            listener: Listener, or None.

        Returns:
            `(status, reason)`; `FAILED` and how it ended for a process that died; None after `stop`.
        """
        listener = listener or Listener()
        tries, before = 0, None
        while not self._stopping:
            tries = tries + 1 if listener.progress == before else 1
            before = listener.progress
            outcome, code = self._run_once(target, job, listener)
            if outcome is not None:
                return outcome
            if code not in _FROM_OUTSIDE:
                return FAILED, _exit_message(code)
            if tries == TRIES:
                return (
                    FAILED,
                    f"{_exit_message(code)}, {TRIES} times at one place: perhaps out of memory",
                )
        return None

    def stop(self):
        """Lets all processes save their state and end, and starts no more."""
        self._stopping = True
        for process in tuple(self._running):
            process.terminate()

    def _run_once(self, target, job, listener):
        """Returns the outcome, or None for a process that did not send one, and the exit code."""
        with tempfile.TemporaryDirectory(prefix="keras-vit-", ignore_cleanup_errors=True) as folder:
            ours, theirs = self.context.Pipe()
            process = self.context.Process(target=_run, args=(folder, target, job, theirs), daemon=True)
            process.start()
            theirs.close()
            self._running.add(process)
            try:
                outcome = _receive(ours, listener)
            except BaseException:
                process.kill()
                raise
            finally:
                process.join()
                self._running.discard(process)
                ours.close()
            return outcome, process.exitcode


def _run(folder, target, job, connection):
    """Runs a job with a folder for its temporary files: it may be killed, and never runs `atexit`."""
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    target(job, connection)


def _receive(connection, listener):
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            kind, *content = connection.recv()
            if kind == "ended":
                return tuple(content)
            if (answer := listener.on_message(kind, *content)) is not None:
                connection.send(answer)
    return None


@contextlib.contextmanager
def _errors_to(path):
    """Redirects file descriptor 2, which processes inherit, to a file."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(path, "ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _exit_message(code):
    if code is None or code >= 0:
        return f"its process ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process was ended by signal {-code}"
