"""What surrounds the work of a process that does one job."""

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
from keras_vit.training.checkpoint import Interrupted
from keras_vit.training.tuning.state.records import FAILED


def isolated(work):
    """Makes of `work(job, connection)`, which returns a status and a reason, what a process runs.

    What it writes goes to `trial.log` in the job's run folder, it gets the job's share of the machine, it
    ends with the process that started it, and sends `("ended", status, reason)`, whatever happens.
    """

    @functools.wraps(work)
    def run(job, connection):
        _end_with_parent()
        _write_to(Path(job.run_dir) / "trial.log")
        _take_share(job)
        try:
            connection.send(("ended", *work(job, connection)))
        except Interrupted as interrupted:  # the state is saved: the same job can go on
            raise SystemExit(interrupted.exit_code) from interrupted
        except Exception as error:  # anything may go wrong in a trial, and nothing but the trial
            traceback.print_exc()
            kind = "" if isinstance(error, InputError | ConditionError) else f"{type(error).__name__}: "
            connection.send(("ended", FAILED, f"{kind}{first_line(error)}"))

    return run


def _end_with_parent():
    """Kills this process when the one that searches is gone: another may be about to begin this trial."""
    searcher = parent_process()
    if searcher is not None:

        def watch():
            searcher.join()
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

        threading.Thread(target=watch, daemon=True).start()


def _write_to(path):
    """Appends what this process and its libraries write to a file."""
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
