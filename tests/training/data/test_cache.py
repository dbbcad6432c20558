"""The decoded images on the disk: what other processes, a kill and a full disk leave."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import DataWarning
from keras_vit.training import ImageRecipe, load_data
from keras_vit.training.data.cache import RECORD, UNUSED_DAYS, Cache, cache_folder, remove_unused
from keras_vit.training.fit import fit


def image(number, side=5):
    return np.random.default_rng(number).integers(0, 256, (side, side + 1, 3), dtype="uint8")


def filled(folder, numbers):
    cache = Cache(folder)
    for number in numbers:
        cache.put(number, image(number))
    return cache


def has(cache, numbers):
    return all(np.array_equal(cache.get(number), image(number)) for number in numbers)


def test_images_are_found_by_their_stamps_by_this_process_and_the_next(tmp_path):
    cache = filled(tmp_path / "a", range(10))
    assert has(cache, range(10)) and cache.get(10) is None and cache.missing(np.array([1, 10, 2**63])) == 2
    cache.close()
    assert has(Cache(tmp_path / "a"), range(10))


def test_rows_of_an_image_are_read_alone(tmp_path):
    cache = filled(tmp_path, range(5))
    assert cache.shape(3) == image(3).shape and cache.shape(5) is None
    np.testing.assert_array_equal(cache.get(3, 1, 3), image(3)[1:3])


def test_two_processes_write_at_the_same_time(tmp_path):
    one, two = filled(tmp_path, range(5)), filled(tmp_path, range(3, 9))
    assert has(one, range(5)) and has(two, range(9))
    assert one.get(8) is None
    one.refresh()
    assert has(one, range(9))
    assert {path.name for path in tmp_path.glob("*.images")} == {"0.images", "1.images"}


@pytest.mark.parametrize("lost", [1, RECORD.itemsize - 1, RECORD.itemsize + 1])
def test_what_a_killed_process_left_is_passed_over(lost, tmp_path):
    filled(tmp_path, range(6)).close()
    with open(tmp_path / "0.index", "r+b") as file:
        file.truncate(6 * RECORD.itemsize - lost)
    cache = Cache(tmp_path)
    assert has(cache, range(4)) and cache.get(5) is None
    cache.put(5, image(5))
    cache.close()
    assert has(Cache(tmp_path), [0, 1, 2, 3, 5])


def test_pixels_that_are_not_there_are_not_read(tmp_path):
    filled(tmp_path, range(6)).close()
    with open(tmp_path / "0.images", "r+b") as file:
        file.truncate(4 * 90 + 10)
    cache = Cache(tmp_path)
    assert has(cache, range(4)) and cache.get(4) is None and cache.get(5) is None


def test_pixels_that_were_lost_stay_lost_when_others_are_added(tmp_path):
    """As after a power failure: records that point behind the end of the pixels must not come alive."""
    filled(tmp_path, range(20)).close()
    with open(tmp_path / "0.images", "r+b") as file:
        file.truncate(10 * 90)
    cache = Cache(tmp_path)
    for number in (19, 18, 17):
        cache.put(number, image(number))
    cache.close()
    again = Cache(tmp_path)
    assert has(again, [*range(10), 17, 18, 19]) and again.missing(np.arange(20)) == 7


def test_a_cache_of_more_than_2_gib_is_opened_again(tmp_path):
    cache = Cache(tmp_path)
    cache._writer._end = 3 * 2**30  # a hole: no disk is used
    cache.put(7, image(7))
    cache.close()
    assert has(Cache(tmp_path), [7])


def test_a_damaged_index_is_no_image_and_no_error(tmp_path):
    filled(tmp_path, range(6)).close()
    junk = np.random.default_rng(0).bytes(20 * RECORD.itemsize)
    with open(tmp_path / "0.index", "ab") as file:
        file.write(junk)
    cache = Cache(tmp_path)
    assert has(cache, range(6)) and len(cache._places) == 6


def test_pixels_that_are_cut_while_they_are_used_are_not_there(tmp_path):
    cache = filled(tmp_path, range(6))
    with open(tmp_path / "0.images", "r+b") as file:
        file.truncate(5 * 90 + 10)
    assert cache.get(5) is None and has(cache, range(5))


def test_a_process_that_is_killed_while_it_writes_leaves_whole_images(tmp_path):
    code = (
        "import numpy as np, itertools; from pathlib import Path; import sys\n"
        "from keras_vit.training.data.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1]))\n"
        "for n in itertools.count(): cache.put(n, np.full((64, 64, 3), n % 251, 'uint8'))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}  # which starts sooner
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment)
    while not (tmp_path / "0.index").exists() or (tmp_path / "0.index").stat().st_size < 1000:
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    cache = Cache(tmp_path)
    count = (tmp_path / "0.index").stat().st_size // RECORD.itemsize
    assert count > 20 and cache.missing(np.arange(count)) == 0
    assert all((cache.get(number) == number % 251).all() for number in range(count))


def test_a_full_disk_is_said_once_and_loses_nothing(tmp_path):
    cache = filled(tmp_path, range(2))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, limits[1]))
    try:
        with pytest.warns(DataWarning, match="No space is left in .* KERAS_VIT_CACHE") as found:
            for number in range(2, 6):
                cache.put(number, image(number))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(found) == 1 and has(cache, range(2)) and cache.get(3) is None
    assert has(Cache(tmp_path), range(2))


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]).returncode:
        pytest.skip("disks cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_fills_before_a_training_has_the_images_leaves_its_result(
    small_disk, tmp_path, monkeypatch
):
    for number in range(60):
        path = tmp_path / "photos" / f"class{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number, side=48)).save(path)
    recipe = ImageRecipe(
        data=f"folder:{tmp_path / 'photos'}", image_size=16, model="linear", epochs=1, batch_size=8
    )
    monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    whole = fit(recipe, tmp_path / "whole").get_weights()
    monkeypatch.setenv("KERAS_VIT_CACHE", str(small_disk / "cache"))
    put, lock = Cache.put, threading.Lock()

    def put_and_fill(cache, *arguments):
        with lock:  # no other thread keeps an image while the disk becomes full
            put(cache, *arguments)
            if len(cache._places) >= 20 and not (small_disk / "other").exists():  # another program writes
                with contextlib.suppress(OSError), open(small_disk / "other", "wb", buffering=0) as file:
                    while file.write(bytes(512)):
                        pass

    monkeypatch.setattr(Cache, "put", put_and_fill)
    with pytest.warns(DataWarning, match="No space is left in .* Nothing is lost") as found:
        filled = fit(recipe, tmp_path / "filled").get_weights()
    assert len([line for line in found if "No space" in str(line.message)]) == 1
    assert all(map(np.array_equal, whole, filled))
    (small_disk / "other").unlink()
    monkeypatch.setattr(Cache, "put", put)
    again = load_data(recipe.data, image_size=16)
    monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    expected = load_data(recipe.data, image_size=16)
    np.testing.assert_array_equal(again.train.images[:], expected.train.images[:])


def test_what_no_command_uses_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VIT_CACHE", str(tmp_path))
    old, new = cache_folder("old"), cache_folder("new")
    for folder in (old, new):
        filled(folder / "24-3", range(2)).close()
    long_ago = time.time() - (UNUSED_DAYS + 1) * 86400
    os.utime(old, (long_ago, long_ago))
    remove_unused(new)
    assert new.exists() and not old.exists()


def test_off_may_be_written_in_any_case(monkeypatch):
    monkeypatch.setenv("KERAS_VIT_CACHE", "OFF")
    assert cache_folder("x") is None


def test_nothing_is_kept_on_request(monkeypatch):
    monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    assert cache_folder("photos") is None
