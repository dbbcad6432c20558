import os
import signal
import subprocess
import sys

import pytest
from filelock import FileLock

from keras_vit.errors import InputError
from keras_vit.io.locking import created_folder, exclusively

HOLD = """
import sys, time, pathlib
from keras_vit.io.locking import exclusively
with exclusively(pathlib.Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["folder", "file"])
def place(request, tmp_path):
    path = tmp_path / "place"
    path.mkdir() if request.param == "folder" else path.touch()
    return path


def test_a_second_process_is_refused_until_the_first_is_killed(place):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(place)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="^busy now$"), exclusively(place, "busy now"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with exclusively(place, "busy"):
        pass


def test_a_place_where_no_lock_can_be_written_is_not_called_busy(tmp_path, monkeypatch):
    """`FileLock` has one error for a lock that is held and for one that may not be written."""

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with exclusively(tmp_path / "new", "busy"):
        pass


def test_the_lock_file_disappears_and_the_lock_can_be_taken_again(place):
    before = sorted(place.parent.rglob("*"))
    for _ in range(2):
        with pytest.raises(KeyError), exclusively(place, "busy"):
            raise KeyError
        assert sorted(place.parent.rglob("*")) == before


@pytest.mark.parametrize("error", [OSError(37, "No locks available"), NotImplementedError])
def test_a_file_system_without_locks_is_used_without(place, error, monkeypatch):
    def acquire(lock):
        raise error

    monkeypatch.setattr(FileLock, "__enter__", acquire)
    with exclusively(place, "busy"):
        pass


def test_a_created_folder_stays_when_something_is_in_it(tmp_path):
    with created_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "file").touch()
    assert os.listdir(tmp_path / "a") == ["file"]


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file/run cannot be created"), created_folder(tmp_path / "file/run"):
        pass
