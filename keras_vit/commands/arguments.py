"""Arguments that several commands take."""

import argparse
import math


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, as the commands themselves do."""

    def error(self, message):
        self.exit(2, f"keras-vit: {message}. See `{self.prog} --help`.\n")


class IntermixedParser(Parser):
    """Takes `field=value` also after options, as in `train RECIPE --run-dir DIR epochs=3`."""

    _is_inner = False  # argparse's own way of doing so calls parse_known_args in turn

    def parse_known_args(self, args=None, namespace=None):
        if self._is_inner:
            return super().parse_known_args(args, namespace)
        self._is_inner = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inner = False


def add_data_dir(parser):
    """Adds `--data-dir`."""
    parser.add_argument("--data-dir", type=path, help="where tensorflow-datasets keeps its data")


def add_run(parser):
    """Adds RUN, the folder of a run."""
    parser.add_argument("run_folder", type=path, metavar="RUN")


def path(text):
    """Reads a path. An empty one, mostly of a variable that is not set, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, received an empty one")
    return text


def at_least_zero(text):
    """Reads a whole number from 0."""
    return _whole(text, 0)


def at_least_one(text):
    """Reads a whole number of at least 1."""
    return _whole(text, 1)


def above_zero(text):
    """Reads a finite number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a finite number above 0, received {text!r}")
    return value


def points(text):
    """Reads points of accuracy from 0 to 100."""
    value = _number(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expected points from 0 to 100, received {text!r}")
    return value


def _whole(text, low):
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {low}, received {text!r}")
    return int(text)


def _number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan
