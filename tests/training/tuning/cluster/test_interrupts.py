"""Ctrl-C of a search on several machines, as a terminal sends it: to a process and all that it started."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.journal import Journal

BUILDERS = Path(__file__).parents[1] / "builders"
SEARCH = (
    "builders_of_tests:build --train builders_of_tests:train --validation builders_of_tests:validation "
    "--trials 2 --epochs 40 --seeds 0"
)
PATIENCE = 300  # seconds, on a machine that has other work too


def _listen_to_ctrl_c():
    """A shell lets what it runs in the background ignore Ctrl-C, and so what that starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Command:
    """A `keras-vit tune` of this search, in a process group of its own."""

    def __init__(self, run_dir, *machine):
        self.log = run_dir.with_suffix(".log")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(BUILDERS), *sys.path])}
        words = ["tune", *SEARCH.split(), *machine, "--run-dir", str(run_dir)]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "keras_vit", *words],
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
                preexec_fn=_listen_to_ctrl_c,
            )

    def interrupt(self):
        """Presses Ctrl-C. Returns the exit code and what was shown since."""
        shown = len(self.log.read_text())
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60), self.log.read_text()[shown:]

    def ends(self):
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def wait_for(condition, *commands):
    end = time.monotonic() + PATIENCE
    while not condition():
        ended = [command.log.read_text() for command in commands if command.process.poll() is not None]
        assert not ended and time.monotonic() < end, ended
        time.sleep(0.1)


@pytest.fixture
def start():
    """Starts commands, and kills those that are left at the end of a test."""
    started = []

    def start(*words):
        started.append(Command(*words))
        return started[-1]

    yield start
    for command in started:
        command.kill()


@pytest.mark.slow
def test_ctrl_c_of_a_worker_or_the_coordinator_stops_that_one_alone_until_its_command_comes_again(
    tmp_path, start
):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    chief, here = tmp_path / "chief", tmp_path / "worker"

    journal = SearchFolder(chief).journal

    def epochs():
        return journal.read_bytes().count(b'"event": "epoch"') if journal.exists() else 0

    coordinator = start(chief, "--coordinator", address)
    worker = start(here, "--join", address)
    wait_for(lambda: epochs() >= 2, coordinator, worker)
    code, shown = worker.interrupt()
    assert code == 130 and "interrupted. The same command continues it." in shown
    assert "Traceback" not in worker.log.read_text()
    wait_for(lambda: "has left, it had trial 0000" in coordinator.log.read_text(), coordinator)

    before = epochs()
    worker = start(here, "--join", address)
    wait_for(lambda: epochs() >= before + 2, coordinator, worker)
    code, shown = coordinator.interrupt()
    assert code == 130 and "interrupted. The same command continues it." in shown
    assert "Traceback" not in coordinator.log.read_text()

    before = epochs()
    coordinator = start(chief, "--coordinator", address)
    wait_for(lambda: epochs() >= before + 2, coordinator, worker)
    assert coordinator.ends() == 0 and worker.ends() == 0
    assert "Traceback" not in coordinator.log.read_text() + worker.log.read_text()
    events = Journal(journal).read()
    assert [event["status"] for event in events if event["event"] == "ended"] == ["completed"] * 2
    numbers = [event["epoch"] for event in events if event["event"] == "epoch" and event["trial"] == "0000"]
    assert numbers == list(range(1, 41))  # no epoch was lost or repeated
