"""Objects of users by name: `module:name`, or `FILE.py:name` of a file in any folder."""

import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import signal
import sys
import sysconfig
import threading
import traceback
import types
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_vit.errors import InputError, did_you_mean, first_line

_FILES = "keras_vit_file_"  # prefix of the names of modules that were loaded from files
_INSTALLED = ("<", str(Path(__file__).parent), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))


def is_name(text: Any) -> bool:
    """Returns whether a value has the form `module:name` or `FILE.py:name`.

    >>> is_name("my_models:build"), is_name("vit"), is_name("runs/my.py:build"), is_name("data: none")
    (True, False, True, False)
    """
    place, colon, name = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    is_module = all(part.isidentifier() for part in place.split("."))
    return (
        bool(colon)
        and all(part.isidentifier() for part in name.split("."))
        and (is_module or place.endswith(".py"))
    )


def has_module(name: str) -> bool:
    """Returns whether a module of a name without dots is here or installed; it is not imported.

    >>> has_module("json"), has_module("no_such_module")
    (True, False)
    """
    found = importlib.machinery.PathFinder.find_spec(name, [os.getcwd(), *sys.path])
    return name.isidentifier() and found is not None


def import_named(name: str, what: str) -> Any:
    """Returns the object of a `module:name` or `FILE.py:name`; the module's code is run.

    Modules of the current folder are found as by `python -m`. Messages call the object `what`.

    Raises:
        InputError: another form, no such module, file or name, or an error in the module's code.
    """
    if not is_name(name):
        raise InputError(f"Expected {what} as module:name or FILE.py:name, received {name!r}.")
    place, _, path = name.rpartition(":")
    found = module = import_module(place)
    for part in path.split("."):
        if not hasattr(found, part):
            hint = did_you_mean(part, dir(found), before=f"{place}:")
            raise InputError(f"{module.__file__} defines no {path}, expected there {what}.{hint}")
        found = getattr(found, part)
    return found


def import_module(place: str) -> types.ModuleType:
    """Imports a module by its name, or a `.py` file by its path; raises InputError when that fails."""
    if place.endswith(".py"):
        return import_file(place)
    what = f"the import of {place}"
    with user_code(f"{place} cannot be imported: ", what=what), _searched(os.getcwd()):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            if not (error.name and f"{place}.".startswith(f"{error.name}.")):
                raise
            raise InputError(
                f"No module {place} here or among the installed packages. Run the command in the folder of "
                f"{place}.py, set PYTHONPATH, or give the path of the file."
            ) from error


def import_file(path: str | Path) -> types.ModuleType:
    """Loads a Python file as a module, once; files next to it can be imported by its code."""
    path = Path(path).resolve()
    name = f"{_FILES}{path.stem}_{zlib.crc32(os.fsencode(path)):08x}"
    if name in sys.modules:
        return sys.modules[name]
    if not path.is_file():
        raise InputError(f"Expected a Python file at {path}, found none.")
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with user_code(f"{path} cannot be run: ", what=str(path)), _searched(str(path.parent)):
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return module


def name_of(value: Any, what: str) -> str:
    """Returns the `module:name` or `FILE.py:name` by which `import_named` finds a function or class.

    Raises:
        InputError: it has no such name, as a lambda, an inner function, or one of the script that runs.
    """
    module, path = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    found = sys.modules.get(module or "")
    for part in (path or "<none>").split("."):
        found = getattr(found, part, None)
    if module == "__main__" or found is not value:
        raise InputError(
            f"Expected {what} to be defined at the top level of a module, so that it can be found by name "
            f"later; {path or value!r} of {module or 'no module'} cannot. Move it to a file of its own, such "
            "as my_parts.py, and import it from there."
        )
    place = sys.modules[module].__file__ if module.startswith(_FILES) else module
    return f"{place}:{path}"


def raised(error: BaseException) -> str:
    """Returns an error in one line: its type, its message and the line of the user's code that raised it."""
    own = _own_frames(error)
    place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {first_line(error).rstrip('.')}{place}"


def _own_frames(error):
    """Returns those frames of an error's traceback that are of no installed code."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith(_INSTALLED)]


@contextlib.contextmanager
def user_code(before: str, after: str = ".", what: str = "", mixed: bool = False):
    """Makes an InputError of what a user's code raises in the block: `before`, the error, `after`.

    `what` is for `running`. In a block that is `mixed` with code of others, an error that was not raised from
    a line of the user's stays as it is.
    """
    try:
        with running(what):
            yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        if mixed and not _own_frames(error):
            raise
        raise InputError(f"{before}{raised(error)}{after}") from error


_report: Callable[[str], object] | None = None  # of the running process
_running: list[str] = []  # in the main thread


def report_running(report: Callable[[str], object] | None):
    """Lets a function know what a user's code runs: the process may end there without an error."""
    global _report
    _report = report


@contextlib.contextmanager
def running(what: str):
    """Reports what runs in the block, and after it what ran before, to the function of `report_running`."""
    if not what or _report is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    _running.append(what)
    _report(what)
    try:
        yield
    finally:
        _running.pop()
        _report(_running[-1] if _running else "")


def ending_of(code: int | None) -> str:
    """Returns in words how a process ended, by the exit code that `subprocess` and `multiprocessing` give.

    >>> ending_of(7), ending_of(-11)
    ('ended with exit code 7', 'was ended by SIGSEGV')
    """
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


@contextlib.contextmanager
def _searched(folder):
    """Lets imports find the modules of a folder: first while the block runs, last afterwards."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)
