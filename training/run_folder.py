"""Names of the files in a run folder."""

import contextlib
import dataclasses
import os
import shutil
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.label_names import read_label_names
from keras_vit.io.locking import created_folder, exclusively


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where a run keeps what. Files are written whole or not at all."""

    path: Path

    def __post_init__(self):
        object.__setattr__(self, "path", Path(self.path))

    @property
    def recipe(self):
        return self.path / "recipe.json"

    @property
    def model(self):
        return self.path / "model.keras"

    @property
    def state(self):
        return self.path / "state"

    @property
    def history(self):
        return self.path / "history.csv"

    @property
    def tensorboard(self):
        return self.path / "tensorboard"

    @property
    def nonfinite_batch(self):
        return self.path / "nonfinite_batch.npz"

    @property
    def divergence(self):
        """What ended a run of an experiment whose numbers were finite no longer: no other will do better."""
        return self.path / "divergence.txt"

    @property
    def metrics(self):
        return self.path / "metrics.json"

    @property
    def labels(self):
        return self.path / "labels.txt"

    @property
    def preprocessing(self):
        return self.path / "preprocessing.json"

    @property
    def vocabulary(self):
        return self.path / "vocabulary.json"

    @property
    def samples(self):
        return self.path / "samples.json"

    @property
    def report(self):
        return self.path / "report"

    @property
    def export(self):
        return self.path / "export"

    def check_unused(self):
        """Raises InputError when a run, or a file of its names, lies here, or no folder can be made."""
        places = (self.path, *self.path.absolute().parents)
        place = next(place for place in places if os.path.exists(place))  # unlike Path's, also of long names
        if not place.is_dir():
            raise InputError(
                f"Expected a folder for the run, but {place} is a file. Choose another --run-dir."
            )
        if not os.access(place, os.W_OK | os.X_OK):
            raise InputError(f"{place} may not be written to. Choose another --run-dir.")
        if os.path.exists(self.recipe):
            raise InputError(
                f"{self.path} already holds a run. Use --resume to continue it, or another --run-dir."
            )
        model, figures = (self.model, self.state, self.labels), (self.history, self.metrics, self.tensorboard)
        for file in (*model, *figures):  # the report's folder looks after itself
            if os.path.exists(file):
                raise InputError(
                    f"{file} is of no run that can be continued, and a training would replace it. "
                    "Choose another --run-dir."
                )

    @contextlib.contextmanager
    def locked(self):
        """Keeps a second training out of the folder, which is made where there is none, and left if used.

        Raises:
            InputError: there is one in it already, or no folder can be made here.
        """
        busy = f"Another training is at work in {self.path}. Wait for it, or choose another --run-dir."
        with created_folder(self.path), exclusively(self.path, busy):
            yield

    def remove_leftovers(self):
        """Removes what processes killed while writing have left: see `keras_vit.io.files.atomic_path`."""
        for folder in (self.path, self.state):
            for holder in folder.glob(".*-????????"):
                if holder.is_dir():
                    shutil.rmtree(holder, ignore_errors=True)

    def check_trained(self):
        """Raises InputError unless a recipe and a model lie here."""
        for file in (self.recipe, self.model):
            if not file.is_file():
                raise InputError(
                    f"Expected a run folder, but {file} is missing. Train one: keras-vit train RECIPE "
                    f"--run-dir {self.path}"
                )

    def label_names(self):
        """Returns the class names, one line of `labels.txt` each."""
        return read_label_names(self.labels)
