"""What all tests have in common: the decoded images that they keep disappear with them, and a terminal."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

_CACHE = tempfile.TemporaryDirectory(prefix="keras_vit-tests-")
os.environ["KERAS_VIT_CACHE"] = _CACHE.name  # also of the commands that tests start
if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes, which share the cores
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # JAX compiles in half the time

STARTUP = str(Path(__file__).parent / "tests/startup")
collect_ignore = [STARTUP]


def pytest_collection_finish(session):
    """Lets programs start faster, and takes what was imported out of the garbage collection.

    Keras collects garbage for each layer that it quantizes.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [STARTUP, os.environ.get("PYTHONPATH")]))
    if "PYTEST_XDIST_WORKER" in os.environ and sys.platform == "linux":
        os.environ["KERAS_VIT_CONVERTER"] = address = f"{_CACHE.name}/converter"
        command = [sys.executable, "-P", f"{STARTUP}/converter.py", address]
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)  # ends with this process
    gc.collect()
    gc.freeze()


@pytest.fixture
def foreground():
    """Ctrl-C reaches Python, also in a process that a shell script started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
