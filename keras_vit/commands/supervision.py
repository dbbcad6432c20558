"""Runs a command that calls a user's code in a process of its own, which that code may end."""

import contextlib
import json
import mmap
import os
import signal
import sys
import threading
from pathlib import Path

import keras_vit
from keras_vit.errors import InputError
from keras_vit.importing import ending_of, is_name, report_running

_LONGEST = 4096  # bytes of what runs
_NO_CODE = ("group",)  # fields whose values look like names of objects, as column:NAME does
_SOURCES = Path(keras_vit.__file__).parent / "training" / "data" / "sources"  # `tfds:NAME` is no object


def supervised(options) -> int | None:
    """Forks where a command may end without a word: it runs a user's code, and the system is Linux.

    Returns None in the process that has to run the command, and in the other one the exit code of that. A
    process that has imported Keras, as that of a notebook or a test, is never forked.

    Raises:
        InputError: a user's code ended the process, by a signal or an exit code.
    """
    if sys.platform != "linux" or "keras" in sys.modules or not _runs_user_code(options):
        return None  # frameworks of macOS do not allow a fork
    running, (alive, held) = mmap.mmap(-1, _LONGEST), os.pipe()
    child = os.fork()
    if not child:
        os.close(held)
        threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
        report_running(lambda what: _write(running, what))
        return None
    with _signals_sent_to(child):
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if what := running[:].rstrip(b"\0").decode(errors="replace"):
        raise InputError(
            f"{what} ended the process, which {ending_of(code)}. Run it alone to see why, with python -X "
            "faulthandler for its place."
        )
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL and SIGSTOP have no handlers
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _runs_user_code(options):
    """Whether options, or the recipe that they name, have a `module:name` or a Python file."""
    given = vars(options)
    assignments = [text.partition("=") for text in given.get("overrides") or ()]
    fields = [value for field, _, value in assignments if field not in _NO_CODE]
    places = [given.get("recipe"), given.get("model"), *(given.get("models") or ())]
    places += [given.get("run_dir")] if given.get("resume") else []
    if given.get("imports") or any(str(place).endswith(".py") for place in places):
        return True
    written = [word for place in places for word in _written(place)]
    return any(map(_is_code, [given.get("data"), *places, *fields, *written]))


def _is_code(value):
    """Whether a value of a field names an object of a user's, or one of several does."""
    names = [part.partition("{")[0] for part in value.split(",")] if isinstance(value, str) else []
    return any(is_name(name) and not (_SOURCES / f"{name.partition(':')[0]}.py").is_file() for name in names)


def _written(path):
    """The values of the fields of a recipe.json, or of the one in a run's folder."""
    path = Path(path or "none")
    path = path / "recipe.json" if path.is_dir() else path
    if path.suffix != ".json":
        return []
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))["recipe"]
        values = [value for field, value in recipe.items() if field not in _NO_CODE]
    except (OSError, TypeError, ValueError, KeyError, AttributeError):  # the command says what is wrong
        return []
    return [word for value in values for word in (value if isinstance(value, list) else [value])]


def _write(running, what):
    content = what.encode(errors="replace")[:_LONGEST]
    running[:] = content.ljust(_LONGEST, b"\0")


def _end_with_parent(alive):
    os.read(alive, 1)  # returns when the other process has ended
    os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def _signals_sent_to(child):
    """Passes on what asks this process to stop. A terminal sends Ctrl-C to both by itself."""

    def send(number, _):
        if number != signal.SIGINT or not sys.stdin.isatty():
            os.kill(child, number)

    before = {number: signal.signal(number, send) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
