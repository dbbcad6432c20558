"""The image files that a command is given: files, folders, patterns and lists."""

import collections
import glob
import os
import sys
from pathlib import Path

from keras_vit.commands.arguments import path
from keras_vit.errors import InputError, Notice, warn

_STDIN = "-"
_PATTERN = set("*?[")


def add_files(parser):
    """Adds FILE ... and `--files-from`."""
    parser.add_argument(
        "files",
        type=path,
        nargs="*",
        metavar="FILE",
        help="image, folder of images or quoted pattern such as 'photos/**/*.jpg'; text in UTF-8; for other "
        "inputs one .npz file of arrays by name; for a model of pairs of texts the source itself",
    )
    parser.add_argument(
        "--files-from",
        metavar="LIST",
        help="text file with a path, or a source, in each line, or - for the standard input",
    )


def given_files(options) -> list[str]:
    """Returns what was given and what is listed, before folders and patterns are replaced."""
    files = [*options.files, *(_lines(options.files_from) if options.files_from else ())]
    if not files:
        raise InputError("Expected at least one FILE, or --files-from LIST, received none.")
    return files


def image_files(given: list[str]) -> list[str]:
    """Returns the images that are given, of folders and patterns in alphabetical order, each once."""
    found = {}
    for name in given:
        if os.path.isdir(name):
            found.update(dict.fromkeys(_in_folder(name)))
        elif not os.path.exists(name) and _PATTERN & set(name):
            matches = sorted(glob.glob(name, recursive=True))
            if not matches:
                raise InputError(f"No file here fits the pattern {name}.")
            found.update(dict.fromkeys(filter(os.path.isfile, matches)))
        else:
            found[name] = None
    return list(found)


def _in_folder(name):
    from keras_vit.io.folders import passed_over_words, scan

    passed_over = collections.Counter()
    images = list(scan(Path(name), passed_over).all_images())
    kinds = passed_over_words(passed_over)
    if not images:
        raise InputError(f"Expected images in the folder {name}, found {kinds or 'nothing'}.")
    if passed_over:
        warn(f"passed over in {name}: {kinds}", Notice)
    return images


def _lines(name):
    from keras_vit.io.files import read_text

    text = sys.stdin.read() if name == _STDIN else read_text(name)
    files = [line for line in text.splitlines() if line.strip()]
    if not files:
        raise InputError(f"Expected a path in each line of {name}, found none.")
    return files
