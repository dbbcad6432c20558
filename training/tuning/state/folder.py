"""Names of the files in the folder of a search."""

import contextlib
import dataclasses
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.locking import created_folder, exclusively


@dataclasses.dataclass(frozen=True)
class SearchFolder:
    """Where a search keeps what. `trials/ID` are run folders."""

    path: Path

    def __post_init__(self):
        object.__setattr__(self, "path", Path(self.path))

    @property
    def journal(self):
        return self.path / "journal.jsonl"

    @property
    def joined(self):
        """Of a worker, in place of a journal: it holds the first event of the chief's alone."""
        return self.path / "joined.jsonl"

    @property
    def log(self):
        return self.path / "processes.log"

    @property
    def reference(self):
        return self.path / "reference.tflite"

    @property
    def data(self):
        """Where the process that loads the data to see whether they are there has its log."""
        return self.path / "data"

    @property
    def reference_log(self):
        """Likewise for the one that measures the reference."""
        return self.path / "reference"

    @property
    def results(self):
        return self.path / "results.csv"

    @property
    def pareto(self):
        return self.path / "pareto.csv"

    def winner(self, trial):
        """Where the winner is kept; another one, after more trials, has another folder."""
        return WinnerFolder(self.path / f"winner-{trial}")

    def trial(self, root):
        """The run folder of a trial, or of the one that it continues."""
        return self.path / "trials" / root

    def check(self, joining=False):
        """Raises InputError unless this is a search's folder, or can become one; or that of a worker."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"Expected a folder for the search, but {self.path} is a file.")
        needed = self.joined if joining else self.journal
        if self.path.exists() and not needed.exists() and any(self.path.iterdir()):
            raise InputError(
                f"{self.path} is not empty and holds no search that could go on: {needed.name} "
                "is missing. Choose another --run-dir."
            )

    @contextlib.contextmanager
    def locked(self, file=None):
        """Keeps a second search out of the folder while the block runs. Of a search that does not begin,
        because its data are not there, nothing stays.

        Args:
            file: Path of the file that it is noticed by and that has its first event. Default: its journal.

        Raises:
            InputError: there is one in it already, or no folder can be made here.
        """
        file = file or self.journal
        busy = f"Another search is at work in {self.path}. Wait for it, or choose another --run-dir."
        with created_folder(self.path):
            file.touch()
            with exclusively(file, busy):
                try:
                    yield
                finally:
                    if not file.stat().st_size:
                        self._remove_all(file)

    def _remove_all(self, file):
        places = (self.data, self.reference_log)
        for written in (*(place / "trial.log" for place in places), self.log, self.reference, file):
            written.unlink(missing_ok=True)
        for place in places:
            with contextlib.suppress(OSError):  # there is none, or it holds what is not of this search
                place.rmdir()


@dataclasses.dataclass(frozen=True)
class WinnerFolder:
    """Where the winner of a search is trained anew. `seed-N` are run folders."""

    path: Path

    @property
    def recipe(self):
        return self.path / "recipe.py"

    @property
    def summary(self):
        return self.path / "summary.json"

    def seed(self, number):
        return self.path / f"seed-{number}"
