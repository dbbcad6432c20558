"""Runs a program of this folder in its own process; if that crashes, this one raises an error."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from keras_vit.errors import ConditionError
from keras_vit.importing import ending_of

MEMORY_LIMIT = 32 << 30  # bytes of address space; TensorFlow alone reserves some
TIME_LIMIT = 1800  # seconds
LOOKS = 1  # seconds from one look at how far a program is to the next
LONGEST_LINE = 500  # characters of a program's error that a message repeats
_FOLDER = Path(__file__).parent
_PACKAGE = _FOLDER.parents[1]
_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "failed to allocate", "out of memory")


def run_worker(
    program, *, time_limit=TIME_LIMIT, memory_limit=MEMORY_LIMIT, progress: Callable | None = None, **job
):
    """Returns what `run(**job)` of a program returns, both through JSON; a Path becomes a str.

    The program is a file in this folder, or the path of another one, without `.py`. Its process sees no GPU,
    whose memory may be in use here, and takes no module from the current folder. If it fails, crashes or
    exceeds a limit (seconds; on POSIX bytes of address space), a ConditionError has the last line of its
    error output that names an error.

    `progress` gets the share that is done, between 0 and 1, now and then. `run` of such a program has an
    argument `done`, the path of a file for it.
    """
    if progress is not None:
        with _watched(progress) as done:
            return run_worker(program, time_limit=time_limit, memory_limit=memory_limit, done=done, **job)
    command = [sys.executable, "-P", _FOLDER / "bootstrap.py", _PACKAGE, _FOLDER / f"{program}.py"]
    try:
        result = subprocess.run(
            list(map(str, command)),
            input=json.dumps({"memory_limit": memory_limit, "job": job}, default=os.fspath),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=time_limit,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        )
    except subprocess.TimeoutExpired as error:
        raise ConditionError(f"it took more than {time_limit:g} s and was stopped") from error
    if result.returncode == 0:
        return json.loads(result.stdout)
    if any(words in result.stderr for words in _OUT_OF_MEMORY):
        raise ConditionError(f"it needed more than {memory_limit / 1e9:.1f} GB of memory and was stopped")
    raise ConditionError(f"{_error_line(result.stderr)} (its process {ending_of(result.returncode)})")


@contextlib.contextmanager
def _watched(progress):
    """Yields the path of a file, and reports the share that is written there."""
    ended = threading.Event()
    with tempfile.TemporaryDirectory(prefix="keras_vit-") as folder:
        done = Path(folder) / "done"

        def look():
            while not ended.wait(LOOKS):
                with contextlib.suppress(OSError, ValueError):  # none yet, or half of a number
                    progress(float(done.read_text()))

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield done
        finally:
            ended.set()
            thread.join()


def run_writer(program, *, path, **job):
    """Runs a program that writes the file `path`."""
    try:
        run_worker(program, path=path, **job)
    except ConditionError as error:
        raise ConditionError(f"the conversion failed: {error}") from error
    if not Path(path).is_file():
        raise ConditionError("the converter wrote no file and reported no error")


def _error_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "rror:" in line or "not supported" in line]
    return (errors or lines or ["no error output"])[-1][:LONGEST_LINE]
