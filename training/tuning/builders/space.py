"""What varies in a search over a builder."""

import dataclasses
from pathlib import Path
from typing import Any

import keras_tuner

from keras_vit.training.tuning.builders.given_data import GivenData
from keras_vit.training.tuning.builders.sent import Sent
from keras_vit.training.tuning.builders.work import BuilderWork
from keras_vit.training.tuning.keras_tuner_internals import from_config
from keras_vit.training.tuning.space.space import described

EPOCHS = 10
BATCH_SIZE = 32  # as `model.fit`


@dataclasses.dataclass
class BuilderSpace:
    """The hyperparameters of a builder, to which trials may add more, and what each trial trains on.

    It has the methods of `keras_vit.training.tuning.space.space.Space` that a search uses.
    """

    check_failure = ""  # messages are complete
    is_explored = True

    builder: Sent
    data: dict[str, Any]  # what the user gave as "train" and "validation", then prepared
    objective: tuple[str, str]
    given_epochs: int | None = None
    batch_size: int = BATCH_SIZE
    hyperparameters: keras_tuner.HyperParameters = dataclasses.field(
        default_factory=keras_tuner.HyperParameters
    )

    @property
    def checking(self) -> str:
        """What messages call the process of the check."""
        return f"The process that checks {self.builder.name}"

    @property
    def epochs(self) -> int:
        """Epochs of a trial."""
        return self.given_epochs or EPOCHS

    def prepare(self, folder: Path):
        """Prepares the data for processes, with files in a folder."""
        self.data = {role: GivenData.of(value, role, folder) for role, value in self.data.items()}

    def first_work(self) -> BuilderWork:
        """Returns what is checked before a search starts."""
        return self.work_of({}, seed=0)

    def add(self, found: dict | None):
        """Adds the hyperparameters that `BuilderWork.check` found."""
        if found is not None:
            self.hyperparameters.merge(from_config(found))

    def settings(self) -> dict:
        """Returns what a journal keeps of it, and what must be the same when the search is resumed."""
        names = {role: data and data.name for role, data in self.data.items()}
        return {
            "build": self.builder.name,
            **names,
            "epochs": self.given_epochs,
            "batch_size": self.batch_size,
        }

    def description(self) -> dict[str, str]:
        """Returns a dict from each hyperparameter that varies to its values in words."""
        return described(self.hyperparameters)

    def work_of(self, values: dict, seed: int) -> BuilderWork:
        """Returns what the trial with these values trains."""
        return BuilderWork(
            builder=self.builder,
            **self.data,
            values=dict(values),
            seed=seed,
            objective=self.objective,
            given_epochs=self.given_epochs,
            epochs=self.epochs,
            batch_size=self.batch_size,
        )
