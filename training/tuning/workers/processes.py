"""Starts the processes of trials and hears what they tell."""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
import tempfile

from keras_vit.training.tuning.state.records import FAILED

PRELOAD = ("keras_vit.training.tuning.workers.trial", "keras_vit.training.tuning.results.winner")
TRIES = 3  # of a job whose process is killed again before it came any further
_FROM_OUTSIDE = (-9, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT)


class Processes:
    """Runs functions, each in a process forked from one which has imported all and done nothing.

    That saves the seconds that TensorFlow takes to import, and no memory of a trial outlives it. Where a
    system has no `forkserver`, processes are started anew.

    Args:
        log: str or Path of a file for what the processes write before they have one of their own.
        measure: str, see `keras_vit.training.tuning.workers.job.Job`, or None.
    """

    def __init__(self, log, measure=None):
        methods = multiprocessing.get_all_start_methods()
        self.context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._running = set()
        self._stopping = False
        if "forkserver" in methods:
            self.context.set_forkserver_preload([*PRELOAD, *([measure.split(":")[0]] if measure else [])])
            with _errors_to(log):
                multiprocessing.forkserver.ensure_running()

    def run(self, target, job_of, hear=lambda *message: None, progress=lambda: None):
        """Runs `target(job, connection)` to its end, over again when it is killed from outside.

        Args:
            target: function of a module. It sends tuples, the last of which is `("ended", status, reason)`.
            job_of: function without arguments that returns the job, called for each try.
            hear: called with each message before that; its answer is sent back unless it is None.
            progress: function whose value changes when the job comes further.

        Returns:
            `(status, reason)`; of a process that died `FAILED` and how; None when all is to stop.
        """
        tries, before = 0, None
        while not self._stopping:
            tries = tries + 1 if progress() == before else 1
            before = progress()
            outcome, code = self._once(target, job_of(), hear)
            if outcome is not None:
                return outcome
            if code not in _FROM_OUTSIDE:
                return FAILED, _ending(code)
            if tries == TRIES:
                return FAILED, f"{_ending(code)}, {TRIES} times where it stood: perhaps out of memory"
        return None

    def stop(self):
        """Asks all processes to save their state and end, and starts no more."""
        self._stopping = True
        for process in tuple(self._running):
            process.terminate()

    def _once(self, target, job, hear):
        """Returns the outcome, or None and the exit code of a process that did not tell one."""
        with tempfile.TemporaryDirectory(prefix="keras-vit-", ignore_cleanup_errors=True) as folder:
            return self._once_with(folder, target, job, hear)

    def _once_with(self, folder, target, job, hear):
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=_run, args=(folder, target, job, theirs), daemon=True)
        process.start()
        theirs.close()
        self._running.add(process)
        try:
            outcome = _listen(ours, hear)
        except BaseException:
            process.kill()
            raise
        finally:
            process.join()
            self._running.discard(process)
            ours.close()
        return outcome, process.exitcode


def _run(folder, target, job, connection):
    """Runs a job with a folder for what it would leave: it may be killed, and `atexit` is not run at all."""
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    target(job, connection)


def _listen(connection, hear):
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            message = connection.recv()
            if message[0] == "ended":
                return message[1:]
            if (answer := hear(*message)) is not None:
                connection.send(answer)
    return None


@contextlib.contextmanager
def _errors_to(path):
    """Lets file descriptor 2, which processes inherit, be a file."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(path, "ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _ending(code):
    if code is None or code >= 0:
        return f"its process ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process was ended by signal {-code}"
