"""Runs one of this folder's programs in a process of its own, whose crash is no crash here."""

import os
import subprocess
import sys
from pathlib import Path

from keras_vit.errors import ConditionError

MEMORY_LIMIT = 32 << 30  # bytes of address space; TensorFlow alone reserves some
LONGEST_LINE = 500  # characters of a program's complaint that an error repeats
_LIMITED = str(Path(__file__).with_name("limited.py"))
_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "failed to allocate", "out of memory")


def run_child(program, *arguments, time_limit, memory_limit=MEMORY_LIMIT):
    """Runs a Python program and waits for it, without a GPU: its memory may be this process's own.

    Args:
        program: tuple of str, how Python is told what to run. A file's path is best: then nothing in the
            current folder stands in for it.
        *arguments: what the program gets on its command line.
        time_limit: float, seconds.
        memory_limit: int, bytes of address space that it may take.

    Raises:
        ConditionError: it failed, crashed, took too long or too much; the message is the last telling line
            it wrote.
    """
    limited = (_LIMITED, str(memory_limit)) if os.name == "posix" else ()  # Windows has no such limit
    command = [sys.executable, "-P", *limited, *program, *map(str, arguments)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=time_limit, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise ConditionError(f"it took more than {time_limit:g} s and was stopped") from error
    if result.returncode:
        if any(words in result.stderr for words in _OUT_OF_MEMORY):
            raise ConditionError(f"it needed more than {memory_limit / 1e9:.1f} GB of memory and was stopped")
        raise ConditionError(f"{_telling_line(result.stderr)} ({_ending(result.returncode)})")


def _ending(code):
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def _telling_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "rror:" in line or "not supported" in line]
    return (telling or lines or ["it said nothing"])[-1][:LONGEST_LINE]
