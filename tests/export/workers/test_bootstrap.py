import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_vit.export import workers

resource = pytest.importorskip("resource")
BOOTSTRAP = Path(workers.__file__).with_name("bootstrap.py")
PACKAGE = BOOTSTRAP.parents[2]


def run(program, memory_limit, **options):
    return subprocess.run(
        [sys.executable, BOOTSTRAP, PACKAGE, f"{program}.py"],
        input=json.dumps({"memory_limit": memory_limit, "job": {}}),
        capture_output=True,
        text=True,
        **options,
    )


@pytest.mark.parametrize(("asked", "given"), [(2**31, 2**31), (2**50, 2**33)])
def test_a_program_gets_the_limit_or_a_lower_existing_one(asked, given, worker_program):
    program = worker_program("import resource; return resource.getrlimit(resource.RLIMIT_AS)")
    done = run(program, asked, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)))
    assert json.loads(done.stdout or "null") == [given, 2**33], done.stderr


def test_where_the_system_refuses_any_limit_the_program_runs_without(tmp_path, worker_program):
    refusing = "RLIMIT_AS = RLIM_INFINITY = -1\ndef getrlimit(_): return -1, -1\n"
    refusing += "def setrlimit(*_): raise ValueError('current limit exceeds maximum limit')\n"
    (tmp_path / "resource.py").write_text(refusing)  # as on macOS
    done = run(worker_program("return 'it ran'"), 2**31, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert json.loads(done.stdout or "null") == "it ran", done.stderr


def test_a_program_does_not_wait_for_libraries_that_tensorflow_takes_where_it_finds_them(worker_program):
    line = "import sys, tensorflow; return [bool(sys.modules.get(name)) for name in job['names']]"
    names = ["tensorflow", "jax", "keras", "matplotlib", "pandas", "sklearn"]
    order = {"memory_limit": 2**50, "job": {"names": names}}
    command = [sys.executable, BOOTSTRAP, PACKAGE, f"{worker_program(line)}.py"]
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True)
    assert json.loads(done.stdout or "null") == [True, *[False] * 5], done.stderr
