import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_vit import ConditionError
from keras_vit.export.workers import runner
from keras_vit.export.workers.runner import MEMORY_LIMIT, run_worker


@pytest.fixture
def run(worker_program):
    def run(line, time_limit=60, **job):
        return run_worker(worker_program(line), time_limit=time_limit, **job)

    return run


def test_a_program_gets_its_job_and_its_result_comes_back(run):
    result = run("return [job['words'], job['number'], job['path']]", words="a b", number=1, path=Path("x/y"))
    assert result == ["a b", 1, "x/y"]


def test_a_program_tells_how_far_it_is(run, monkeypatch):
    monkeypatch.setattr(runner, "LOOKS", 0.01)
    shares = []
    line = "import pathlib, time; pathlib.Path(job['done']).write_text('0.25'); time.sleep(0.5); return 1"
    assert run(line, progress=shares.append) == 1
    assert set(shares) == {0.25}


def test_the_printed_output_of_a_program_is_not_its_result(run):
    assert run("import os; print('loading'); os.write(1, b'more'); return {'a': 1.5}") == {"a": 1.5}


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_program_that_dies_by_a_signal_is_an_error_here(name, run):
    import signal

    number = int(signal.Signals[name])
    with pytest.raises(ConditionError, match=f"no error output .its process was ended by {name}"):
        run(f"import os; os.kill(os.getpid(), {number})")


def test_the_last_line_that_names_an_error_is_repeated(run):
    line = "import sys; print('ValueError: it is bad\\n  at line 3\\n\\n', file=sys.stderr); sys.exit(3)"
    with pytest.raises(ConditionError, match=r"^ValueError: it is bad \(its process ended with .*code 3\)$"):
        run(line)


def test_output_that_is_not_text_causes_no_second_error(run):
    with pytest.raises(ConditionError, match="exit code 1"):
        run("import os, sys; os.write(2, bytes([255, 254])); sys.exit(1)")


def test_a_program_that_never_ends_is_stopped(run):
    started = time.monotonic()
    with pytest.raises(ConditionError, match="more than 0.3 s"):
        run("import time; time.sleep(60)", time_limit=0.3)
    assert time.monotonic() - started < 20


def test_a_module_in_the_current_folder_does_not_replace_a_real_one(run, tmp_path, monkeypatch):
    for name in ("json", "numpy", "keras_vit", "export", "training"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert run("import numpy, keras_vit.export; return numpy.ones(2).tolist()") == [1, 1]


def test_a_program_runs_the_package_of_its_caller_and_nothing_of_the_folder_around_it(run):
    import keras_vit

    file, path = run("import keras_vit, sys; return [keras_vit.__file__, sys.path]")
    assert file == keras_vit.__file__
    command = [sys.executable, "-P", "-c", "import json, sys; print(json.dumps(sys.path))"]
    assert path == json.loads(subprocess.run(command, capture_output=True).stdout)


def test_a_program_that_takes_too_much_memory_is_stopped_and_reported(run):
    with pytest.raises(ConditionError, match="needed more than 2.1 GB of memory"):
        run("import numpy; numpy.empty(3 << 30, 'uint8')", memory_limit=2 << 30)
    run("import numpy; numpy.empty(3 << 30, 'uint8')", memory_limit=8 << 30)


def test_every_program_has_a_limit_on_its_memory(run):
    assert run("import resource; return resource.getrlimit(resource.RLIMIT_AS)[0]") <= MEMORY_LIMIT
