"""Names of the files in the folder of a search."""

import contextlib
import os
import shutil
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.locking import created_folder, exclusively
from keras_vit.training.tuning.state.records import ImpossibleSearch


class SearchFolder:
    """Where a search keeps its files. `trials/ID` are run folders."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.journal = self.path / "journal.jsonl"
        self.joined = self.path / "joined.jsonl"  # of a worker: the first event of its coordinator's journal
        self.log = self.path / "processes.log"  # what processes write before they have a log of their own
        self.reference = self.path / "reference.tflite"
        self.arrays = self.path / "arrays"  # the data of a search over a builder, for its processes
        self.trials = self.path / "trials"
        self.data = self.path / "data"  # with the log of loading the data
        self.reference_log = self.path / "reference"  # with the log of measuring the reference
        self.results = self.path / "results.csv"
        self.pareto = self.path / "pareto.csv"

    def winner(self, trial):
        """Where the winner is kept; another winner, after more trials, has another folder."""
        return WinnerFolder(self.path / f"winner-{trial}")

    def trial(self, root):
        """The run folder of a trial, or of the one that it continues."""
        return self.trials / root

    def check(self, joining=False):
        """Raises InputError unless the folder is, or can become, that of a search; or that of a worker."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"Expected a folder for the search, but {self.path} is a file.")
        needed = self.joined if joining else self.journal
        if self.path.exists() and not needed.exists() and any(self.path.iterdir()):
            raise InputError(
                f"{self.path} is not empty and holds no search that can be resumed: {needed.name} "
                "is missing. Choose another folder."
            )

    @contextlib.contextmanager
    def locked(self, file: Path | None = None):
        """Keeps a second search out of the folder while the block runs.

        `file`, the journal by default, is locked and gets the first event. When it has none at the end, for
        example because the data are missing, the search did not start, and its files are removed. So are
        those of an ImpossibleSearch, which has no results: it can start again with another objective.
        """
        file = file or self.journal
        busy = f"Another search is running in {self.path}. Wait for it, or choose another folder."
        with created_folder(self.path):
            file.touch()
            with exclusively(file, busy):
                try:
                    yield
                except ImpossibleSearch:
                    shutil.rmtree(self.trials, ignore_errors=True)
                    os.truncate(file, 0)
                    raise
                finally:
                    if not file.stat().st_size:
                        self._remove_all(file)

    def _remove_all(self, file):
        places = (self.data, self.reference_log)
        files = (self.log, self.reference, self.results, self.pareto, file)
        for own in (*(place / "trial.log" for place in places), *files):
            own.unlink(missing_ok=True)
        shutil.rmtree(self.arrays, ignore_errors=True)
        for place in places:
            with contextlib.suppress(OSError):  # it does not exist, or holds files of somebody else
                place.rmdir()


class WinnerFolder:
    """Where the winner of a search is trained again. `seed-N` are run folders."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.recipe = self.path / "recipe.py"
        self.hyperparameters = self.path / "hyperparameters.json"  # of a builder
        self.model = self.path / "model.keras"  # of a builder: that of the best seed
        self.summary = self.path / "summary.json"

    def seed(self, number):
        return self.path / f"seed-{number}"
