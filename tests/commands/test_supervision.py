"""A user's code that ends the process of a command, in processes of its own as the command has them."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
PROGRAM = """
import os, signal, sys
from types import SimpleNamespace
from keras_vit.commands.supervision import supervised
from keras_vit.importing import user_code

code = supervised(SimpleNamespace(model=sys.argv[1]))
if code is None:
    {lines}
print("exit code", code)
sys.exit(code)
"""


def run(*lines, model="my_models:build"):
    program = PROGRAM.format(lines="\n    ".join(lines))
    return subprocess.run([sys.executable, "-c", program, model], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("os._exit(7)", "ended with exit code 7"),
        ("os._exit(0)", "ended with exit code 0"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
    ],
)
def test_code_that_ends_the_process_is_named_with_how_it_ended(line, ending):
    found = run("with user_code('it raised ', what='my_models:build()'):", f"    {line}")
    assert f"InputError: my_models:build() ended the process, which {ending}" in found.stderr


def test_a_command_keeps_its_own_exit_code_and_signal():
    assert run("sys.exit(1)").returncode == 1
    assert run("os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL
    after = run("with user_code('it raised ', what='it'):", "    pass", "os._exit(3)")
    assert after.returncode == 3 and not after.stderr


def test_other_models_need_no_process_of_their_own():
    found = run("code = 4", model="runs/model.keras")
    assert found.returncode == 4 and found.stdout == "exit code 4\n"


def test_a_signal_to_the_command_reaches_the_one_that_runs_it():
    lines = ["signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))", "print(flush=True)", "signal.pause()"]
    program = PROGRAM.format(lines="\n    ".join(lines))
    command = subprocess.Popen([sys.executable, "-c", program, "m:build"], stdout=subprocess.PIPE)
    command.stdout.readline()
    command.terminate()
    assert command.wait(timeout=30) == 9
