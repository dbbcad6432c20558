import errno
import os
import resource
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.io.files import atomic_path, is_full_disk, read_at, write_text


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "one")
    assert (tmp_path / "new" / "a.txt").read_text() == "one"
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_an_error_while_writing_leaves_the_old_file_and_no_other(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_and_its_name_are_on_the_disk_when_it_is_written(tmp_path, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda d: (synced.append(stat.S_ISDIR(os.fstat(d).st_mode)), sync(d)))
    write_text(tmp_path / "a.txt", "a")
    assert synced == [False, True]


def test_a_folder_with_the_mark_is_replaced_by_another(tmp_path):
    for text in ("first", "second"):
        with atomic_path(tmp_path / "folder", mark="index.html") as temporary:
            temporary.mkdir()
            (temporary / "index.html").write_text(text)
            (temporary / text).write_text(text)
    assert sorted(os.listdir(tmp_path / "folder")) == ["index.html", "second"]
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("mark", [None, "index.html"])
def test_a_folder_with_something_else_in_it_is_never_replaced(tmp_path, mark):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="folder .*Choose another"), atomic_path(tmp_path / "folder", mark):
        pytest.fail("began to write")
    with pytest.raises(InputError, match="is a folder"):
        write_text(tmp_path / "folder", "file")
    assert (tmp_path / "folder" / "precious.txt").read_text() == "mine"
    assert os.listdir(tmp_path) == ["folder"]


def test_a_file_does_not_take_the_place_of_a_folder_that_came_meanwhile(tmp_path):
    with pytest.raises(InputError, match="cannot be written"), atomic_path(tmp_path / "a") as temporary:
        temporary.write_text("file")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "precious.txt").write_text("mine")
    assert (tmp_path / "a" / "precious.txt").read_text() == "mine"


def test_a_full_disk_is_one_clear_error_and_keeps_the_old_file(tmp_path):
    """The kernel refuses to let the child's files grow past 1 kB, as a full disk would."""
    (tmp_path / "a.txt").write_text("old")
    program = (
        "import errno, resource, signal, sys\n"
        "from keras_vit.io.files import _SPACE, write_text\n"
        "_SPACE.add(errno.EFBIG)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "write_text(sys.argv[1], 'x' * 5000)\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1024
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.txt")], capture_output=True, text=True
    )
    assert "InputError: No space left on the disk" in result.stderr
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_is_found_among_the_causes_of_an_error():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(*_):
        try:
            raise full
        except OSError as error:
            raise InputError("the callback ended") from error

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    callback = keras.callbacks.LambdaCallback(on_train_begin=write)
    with pytest.raises(InputError) as raised:  # by Keras again, without its cause
        model.fit(np.ones((1, 1)), np.ones((1, 1)), callbacks=[callback], verbose=0)
    assert is_full_disk(raised.value) and is_full_disk(full)
    assert is_full_disk(RuntimeError("RESOURCE_EXHAUSTED: a.tmp; No space left on device"))
    assert not is_full_disk(OSError(errno.EACCES, os.strerror(errno.EACCES))) and not is_full_disk(None)


@pytest.mark.parametrize("place", ["file/x", "dangling/x", "n" * 300 + "/x"])
def test_a_place_where_no_folder_can_be_made_is_one_clear_error(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "file" / "nothing")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / place, "text")


def test_threads_read_parts_of_one_file_where_a_system_has_no_pread(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "pread")
    (tmp_path / "numbers").write_bytes(bytes(range(256)) * 256)
    with open(tmp_path / "numbers", "rb") as file, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: read_at(file.fileno(), 3, start), range(256)))
    assert found == [bytes([start, (start + 1) % 256, (start + 2) % 256]) for start in range(256)]
