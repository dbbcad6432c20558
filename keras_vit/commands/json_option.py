"""The option `--json FILE` of commands that measure."""

import contextlib
import os
import sys

from keras_vit.commands.arguments import check_no_input
from keras_vit.errors import ConditionError, InputError

STDOUT = "-"
_streams = []  # standard output, while it is kept for JSON


def add_json(parser, what):
    """Adds `--json`."""
    parser.add_argument(
        "--json",
        metavar="FILE",
        help=f"also write the {what} there; - stands for standard output, and nothing else goes there",
    )


@contextlib.contextmanager
def json_alone(options):
    """With `--json -` the block prints to standard error, so that standard output has the JSON alone."""
    if getattr(options, "json", None) != STDOUT:
        yield
        return
    _streams.append(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _streams.pop()


@contextlib.contextmanager
def json_file(path: str | None, inputs: list[str]):
    """Yields a function that writes a value to a file; without a path it does nothing.

    A file that is one of `inputs`, that is not JSON or that cannot be written is refused before the block.
    What was written stays where a condition was not met, since that is when the figures are looked at.
    """
    if path is None:
        yield lambda value: None
        return
    from keras_vit.io.files import atomic_path
    from keras_vit.io.json_files import json_text, write_json

    if path == STDOUT:
        yield lambda value: print(json_text(value), end="", file=_streams[-1], flush=True)
        return

    check_no_input("--json", path, inputs)
    if os.path.isfile(path) and not _holds_json(path):
        raise InputError(f"--json {path} would replace a file that is not JSON. Choose another name.")
    failure = None
    with atomic_path(path) as temporary:
        try:
            yield lambda value: write_json(temporary, value)
        except ConditionError as error:
            if not temporary.exists():
                raise
            failure = error
    if failure:
        raise failure


def _holds_json(path):
    try:
        with open(path, "rb") as file:
            return file.read(1) in (b"[", b"{")
    except OSError as error:
        raise InputError(f"--json {path} cannot be read: {error.strerror}. Choose another name.") from error
