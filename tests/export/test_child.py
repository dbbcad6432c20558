import time

import pytest

from keras_vit import ConditionError
from keras_vit.export.child import MEMORY_LIMIT, run_child


def run(program, *arguments, time_limit=60):
    run_child(("-c", program), *arguments, time_limit=time_limit)


def test_a_program_that_ends_well_says_nothing():
    run("import sys; sys.exit(sys.argv[1:] != ['a b', '1'])", "a b", 1)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_program_that_dies_by_a_signal_is_an_error_here(name):
    import signal

    number = int(signal.Signals[name])
    with pytest.raises(ConditionError, match=f"it said nothing .ended by signal {number}"):
        run(f"import os; os.kill(os.getpid(), {number})")


def test_the_last_telling_line_is_repeated():
    program = "import sys; print('ValueError: it is bad\\n  at line 3\\n\\n', file=sys.stderr); sys.exit(3)"
    with pytest.raises(ConditionError, match=r"^ValueError: it is bad \(exit code 3\)$"):
        run(program)


def test_bytes_that_are_no_text_are_no_second_error():
    with pytest.raises(ConditionError, match="exit code 1"):
        run("import os, sys; os.write(2, bytes([255, 254])); sys.exit(1)")


def test_a_program_that_never_ends_is_stopped():
    started = time.monotonic()
    with pytest.raises(ConditionError, match="more than 0.3 s"):
        run("import time; time.sleep(60)", time_limit=0.3)
    assert time.monotonic() - started < 20


def test_a_module_in_the_current_folder_does_not_stand_in_for_a_real_one(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    run("import json; json.loads('{}')")


def test_a_program_that_takes_too_much_memory_is_stopped_and_told_so():
    program = "block = bytearray(3 << 30)"
    with pytest.raises(ConditionError, match="needed more than 2.1 GB of memory"):
        run_child(("-c", program), time_limit=60, memory_limit=2 << 30)
    run_child(("-c", program), time_limit=60, memory_limit=8 << 30)


def test_every_program_has_a_limit_on_its_memory():
    program = "import resource, sys; sys.exit(resource.getrlimit(resource.RLIMIT_AS)[0] > int(sys.argv[1]))"
    run(program, MEMORY_LIMIT)
