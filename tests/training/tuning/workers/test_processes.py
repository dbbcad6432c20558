import os

import pytest

from keras_vit.training.tuning.state.records import FAILED
from keras_vit.training.tuning.workers import processes
from keras_vit.training.tuning.workers.processes import Processes

JOBS = '''
import os, signal, tempfile, time

def doubles(job, connection):
    connection.send(("doubled", 2 * job))
    connection.send(("ended", "completed", str(connection.recv())))

def exits(job, connection):
    os._exit(job)

def exits_in(job, connection):
    connection.send(("running", job))
    os._exit(7)

def killed(job, connection):
    os.kill(os.getpid(), job)

def leaves_files(job, connection):
    with open(job, "a") as file:
        print(tempfile.mkstemp()[1], tempfile.mkdtemp(), file=file)
    os.kill(os.getpid(), signal.SIGKILL)

def killed_often(job, connection):
    """Is killed as often as bytes are wanted in a file."""
    path, wanted = job
    with open(path, "a") as file:
        file.write("x")
    if os.path.getsize(path) <= wanted:
        os.kill(os.getpid(), signal.SIGKILL)
    connection.send(("ended", "completed", None))
'''


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Functions for a process, in a module that it can import."""
    (tmp_path / "jobs_of_a_test.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    import jobs_of_a_test

    return jobs_of_a_test


@pytest.fixture
def started(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "PRELOAD", ())
    return Processes(tmp_path / "log")


def test_messages_of_a_process_are_received_and_answered(jobs, started):
    messages = []

    def answer(*message):
        messages.append(message)
        return 7

    assert started.run(jobs.doubles, 21, answer) == ("completed", "7")
    assert messages == [("doubled", 42)]


def test_a_process_that_ends_without_a_message_has_failed(jobs, started):
    assert started.run(jobs.exits, 3) == (FAILED, "its process ended with exit code 3")
    found = started.run(jobs.exits_in, "build(hp) of m:build", name="The process")
    assert found == (FAILED, "The process ended with exit code 7 in build(hp) of m:build")
    assert started.run(jobs.killed, 11) == (FAILED, "its process was ended by SIGSEGV")


@pytest.mark.slow
def test_a_process_that_is_killed_is_tried_again(tmp_path, jobs, started):
    assert started.run(jobs.killed_often, (tmp_path / "count", 2)) == ("completed", None)
    status, reason = started.run(jobs.killed_often, (tmp_path / "more", 3))
    assert status == FAILED and reason.startswith("its process was ended by SIGKILL, 3 times at one place")
    assert (tmp_path / "more").read_text() == "xxx"


@pytest.mark.slow
def test_temporary_files_of_a_killed_process_are_removed(tmp_path, jobs, started):
    started.run(jobs.leaves_files, tmp_path / "left")
    left = (tmp_path / "left").read_text().split()
    assert len(left) == 6 and not any(os.path.exists(path) for path in left)


@pytest.mark.slow
def test_a_process_that_makes_progress_is_retried_as_often_as_it_is_killed(tmp_path, jobs, started):
    count = tmp_path / "count"
    count.touch()
    outcome = started.run(jobs.killed_often, (count, 6), progress=lambda: count.stat().st_size)
    assert outcome == ("completed", None)


def test_nothing_is_started_after_a_stop(jobs, started):
    started.stop()
    assert started.run(jobs.doubles, 1) is None
