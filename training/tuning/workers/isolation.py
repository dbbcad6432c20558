"""Isolates the work of a process: its log, its share of the machine, its end."""

import contextlib
import functools
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing import parent_process
from pathlib import Path

import keras

from keras_vit.errors import ConditionError, InputError, first_line
from keras_vit.importing import report_running
from keras_vit.io.files import is_full_disk
from keras_vit.training.checkpoint import Interrupted
from keras_vit.training.tuning.state.records import DISK_FULL, FAILED, IMPOSSIBLE, ImpossibleSearch


def isolated(work):
    """Wraps `work(job, connection)`, which returns a status and a reason, to run in a separate process.

    Its output goes to `trial.log` in the job's run folder, it gets the job's share of the machine, it ends
    with the process that started it, and it sends `("ended", status, reason)`, whatever happens; before that
    `("running", what)` where a user's code begins and ends.
    """

    @functools.wraps(work)
    def run(job, connection):
        _end_with_parent()
        try:
            _redirect_output(Path(job.run_dir) / "trial.log")
            _take_share(job)
            report_running(lambda what: connection.send(("running", what)))
            connection.send(("ended", *work(job, connection)))
        except Interrupted as interrupted:  # the state is saved: the same job can resume
            raise SystemExit(interrupted.exit_code) from interrupted
        except Exception as error:  # any error of a trial ends only that trial
            with contextlib.suppress(OSError):  # the log may be on a full disk
                traceback.print_exc()
            kind = "" if isinstance(error, InputError | ConditionError) else f"{type(error).__name__}: "
            connection.send(("ended", _status(error), f"{kind}{first_line(error)}"))

    return run


def _status(error):
    if isinstance(error, ImpossibleSearch):
        return IMPOSSIBLE
    return DISK_FULL if is_full_disk(error) else FAILED


def _end_with_parent():
    """Kills this process when the search dies: another one may be about to start this trial."""
    parent = parent_process()
    if parent is not None:

        def watch():
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

        threading.Thread(target=watch, daemon=True).start()


def _redirect_output(path):
    """Redirects the output of this process and its libraries to the end of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())
    print(time.strftime("%Y-%m-%d %H:%M:%S"), "process", os.getpid(), flush=True)


def _take_share(job):
    if job.cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cpus)
    if job.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = job.gpu
    if job.threads and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(job.threads)
        tf.config.threading.set_inter_op_parallelism_threads(job.threads)
