"""Runs one of this folder's programs in a process of its own, whose crash is no crash here."""

import os
import subprocess
import sys

from keras_vit.errors import ConditionError

LONGEST_LINE = 500  # characters of a program's complaint that an error repeats


def run_child(program, *arguments, time_limit):
    """Runs a Python program and waits for it, without a GPU: its memory may be this process's own.

    Args:
        program: tuple of str, how Python is told what to run. A file's path is best: then nothing in the
            current folder stands in for it.
        *arguments: what the program gets on its command line.
        time_limit: float, seconds.

    Raises:
        ConditionError: it failed, crashed or took too long; the message is the last telling line it wrote.
    """
    command = [sys.executable, "-P", *program, *map(str, arguments)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=time_limit, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise ConditionError(f"it took more than {time_limit:g} s and was stopped") from error
    if result.returncode:
        raise ConditionError(f"{_telling_line(result.stderr)} ({_ending(result.returncode)})")


def _ending(code):
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def _telling_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "rror:" in line or "not supported" in line]
    return (telling or lines or ["it said nothing"])[-1][:LONGEST_LINE]
