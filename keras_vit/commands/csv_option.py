"""The option `--csv FILE` of commands that answer for many files."""

import csv
import os

from keras_vit.commands.arguments import check_no_input
from keras_vit.errors import InputError
from keras_vit.io.files import open_csv


def add_csv(parser):
    """Adds `--csv`."""
    parser.add_argument("--csv", metavar="FILE", help="also write a row for each file there")


class CsvFile:
    """Rows in a CSV file, which is created with the first ones, and complete after each call."""

    def __init__(self, path: str | None, inputs: list[str]):
        self.path, self._columns = path, None
        if path is None:
            return
        check_no_input("--csv", path, inputs)
        folder = os.path.dirname(os.path.abspath(path))
        if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):
            raise InputError(f"--csv {path} cannot be written. Choose another name.")

    def add(self, columns: list[str], rows: list[dict]):
        """Writes rows; `columns` are the same each time."""
        if self.path is None or not rows:
            return
        try:
            with open_csv(self.path, "w" if self._columns is None else "a") as file:
                writer = csv.DictWriter(file, columns)
                if self._columns is None:
                    writer.writeheader()
                writer.writerows(rows)
        except OSError as error:
            raise InputError(f"--csv {self.path} cannot be written: {error.strerror}.") from error
        self._columns = columns
