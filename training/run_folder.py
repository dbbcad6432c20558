"""The files of a run folder, and the checks before it is used."""

import contextlib
import dataclasses
import os
import shutil
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.locking import created_folder, exclusively

GIVEN_DATA = "given_data"  # in recipe.json: a hash of data that were given in Python, not by the recipe


def _file(name):
    return property(lambda folder: folder.path / name)


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """The paths of the files in a run folder. Files are written atomically."""

    path: Path

    def __post_init__(self):
        object.__setattr__(self, "path", Path(self.path))

    recipe = _file("recipe.json")
    model = _file("model.keras")
    state = _file("state")
    history = _file("history.csv")
    tensorboard = _file("tensorboard")
    nonfinite_batch = _file("nonfinite_batch.npz")
    divergence = _file("divergence.txt")  # of an experiment: why the run ended with non-finite numbers
    metrics = _file("metrics.json")
    predictions = _file("predictions.csv")
    folds = _file("folds.json")  # of a cross-validation, whose runs are in folders fold_1 ... below
    labels = _file("labels.txt")
    preprocessing = _file("preprocessing.json")
    vocabulary = _file("vocabulary.json")
    samples = _file("samples.json")
    report = _file("report")
    export = _file("export")

    def check_unused(self):
        """Raises InputError when the folder contains a run or one of its files, or cannot be created."""
        places = (self.path, *self.path.absolute().parents)
        place = next(place for place in places if os.path.exists(place))  # unlike Path's, for any length
        if not place.is_dir():
            raise InputError(f"Expected a folder for the run, but {place} is a file. Choose another folder.")
        if not os.access(place, os.W_OK | os.X_OK):
            raise InputError(f"{place} is not writable. Choose another folder.")
        if os.path.exists(self.recipe):
            raise InputError(
                f"{self.path} already contains a run. Set resume=True (--resume) to continue it, or choose "
                "another folder."
            )
        others = (
            self.model,
            self.state,
            self.labels,
            self.history,
            self.metrics,
            self.predictions,
            self.folds,
            self.tensorboard,
        )
        for file in others:  # writing the report checks its own folder
            if os.path.exists(file):
                raise InputError(
                    f"{file} belongs to no run that can be resumed, and a training would replace it. "
                    "Choose another folder."
                )

    def check_started(self):
        """Raises InputError unless the folder contains a run, perhaps an interrupted one."""
        if not self.recipe.exists():
            raise InputError(
                f"There is no run in {self.path} to resume. Leave resume=True (--resume) out to start one."
            )

    @contextlib.contextmanager
    def locked(self):
        """Locks the folder against a second training; creates it if missing, removes it if still empty."""
        busy = f"Another training is running in {self.path}. Wait for it, or choose another folder."
        with created_folder(self.path), exclusively(self.path, busy):
            yield

    def remove_leftovers(self):
        """Removes temporary files of killed processes: see `keras_vit.io.files.atomic_path`."""
        for folder in (self.path, self.state):
            for holder in folder.glob(".*-????????"):
                if holder.is_dir():
                    shutil.rmtree(holder, ignore_errors=True)

    def check_trained(self):
        """Raises InputError unless the folder contains a recipe and a model."""
        for file in (self.recipe, self.model):
            if not file.is_file():
                raise InputError(
                    f"Expected a run folder, but {file} is missing. Train one: keras-vit train RECIPE "
                    f"--run-dir {self.path}"
                )
