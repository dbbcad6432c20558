"""Arguments that several commands take."""

import argparse


def add_data_dir(parser):
    """Adds `--data-dir`."""
    parser.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")


def add_run(parser):
    """Adds RUN, the folder of a run."""
    parser.add_argument("run_folder", metavar="RUN")


def at_least_one(text):
    """Reads a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {value}")
    return value


def points(text):
    """Reads points of accuracy from 0 to 100."""
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expected points from 0 to 100, received {text}")
    return value
