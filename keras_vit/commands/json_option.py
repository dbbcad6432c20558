"""The option `--json FILE` of commands that measure."""

import contextlib
import os

from keras_vit.commands.arguments import check_no_input
from keras_vit.errors import InputError


def add_json(parser, what):
    """Adds `--json`."""
    parser.add_argument("--json", metavar="FILE", help=f"also write the {what} there")


@contextlib.contextmanager
def json_file(path: str | None, inputs: list[str]):
    """Yields a function that writes a value to a file; without a path it does nothing.

    A file that is one of `inputs`, that is not JSON or that cannot be written is refused before the block.
    """
    if path is None:
        yield lambda value: None
        return
    from keras_vit.io.files import atomic_path
    from keras_vit.io.json_files import write_json

    check_no_input("--json", path, inputs)
    if os.path.isfile(path) and not _holds_json(path):
        raise InputError(f"--json {path} would replace a file that is not JSON. Choose another name.")
    with atomic_path(path) as temporary:
        yield lambda value: write_json(temporary, value)


def _holds_json(path):
    try:
        with open(path, "rb") as file:
            return file.read(1) in (b"[", b"{")
    except OSError as error:
        raise InputError(f"--json {path} cannot be read: {error.strerror}. Choose another name.") from error
