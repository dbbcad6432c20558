"""What a process does for one trial of a search over a builder."""

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np

from keras_vit.io.json_files import write_json
from keras_vit.training.callbacks import FiniteCheck
from keras_vit.training.report.history import read_history
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.builders.batches import first_batch
from keras_vit.training.tuning.builders.builder import Builder
from keras_vit.training.tuning.builders.explore import check_logged, explore, logged_names
from keras_vit.training.tuning.builders.fit import fit_compiled, kept, plain
from keras_vit.training.tuning.builders.given_data import GivenData
from keras_vit.training.tuning.builders.own_fit import OwnEpochs, report_result
from keras_vit.training.tuning.builders.sent import Sent

_NO_METRICS = ("epoch", "learning_rate", "seconds")  # columns of a history


@dataclasses.dataclass(frozen=True)
class BuilderWork:
    """A builder with the values of one trial; it has the methods of `RecipeWork`."""

    builder: Sent
    train: GivenData
    validation: GivenData | None
    values: dict
    seed: int
    objective: tuple[str, str]
    given_epochs: int | None  # by the user; a HyperModel's own `fit` gets `epochs` only where they were
    epochs: int
    batch_size: int

    def load_data(self, data_dir=None) -> SimpleNamespace:
        """Opens `train` and `validation`, which may be None, here: tuples of arrays, or datasets."""
        held = self.validation.load("validation") if self.validation else None
        return SimpleNamespace(train=self.train.load("train"), validation=held)

    def check(self, data_dir=None) -> dict:
        """Checks builder, data and objective together. Returns the hyperparameters as a config."""
        builder, data = Builder(self.builder), self.load_data()
        keras.utils.set_random_seed(self.seed)
        space, model = explore(builder)
        if not builder.has_fit:
            check_logged(self.objective[0], logged_names(model, data.train, data.validation, self.batch_size))
        return space.get_config()

    def untrained(self, data, discovered: Callable):
        """Returns the model and one item of its inputs; `discovered` gets its space and values."""
        model, _ = self._build(Builder(self.builder), data, discovered)
        inputs = first_batch(data.train, self.batch_size)[0]
        return model, keras.tree.map_structure(lambda array: array[0], inputs)

    def fit(self, run_dir, data, discovered: Callable, reports=None, until_epoch=None):
        """Trains the model, or continues; `reports` gets the metrics of each epoch."""
        folder, builder = RunFolder(run_dir), Builder(self.builder)
        model, hp = self._build(builder, data, discovered)
        write_json(folder.path / "hyperparameters.json", hyperparameters_json(hp, hp.values))
        epochs = min(until_epoch or self.epochs, self.epochs)
        if builder.has_fit:
            result = self._own_fit(builder, hp, model, data, folder, reports, epochs if until_epoch else None)
            discovered(hp.get_config()["space"], hp.values)
            return result
        return fit_compiled(
            model,
            data.train,
            data.validation,
            folder,
            objective=self.objective,
            epochs=epochs,
            batch_size=self.batch_size,
            seed=self.seed,
            callbacks=[*([reports] if reports else []), *_tensorboard(folder)],
        )

    def train_winner(self, run_dir, data_dir=None):
        """Trains with this seed, for all epochs; `metrics.json` has the metrics of the best epoch."""
        self.fit(run_dir, self.load_data(), discovered=lambda *_: None)
        folder, (name, direction) = RunFolder(run_dir), self.objective
        history = read_history(folder.history, ("epoch", name))
        best = (np.argmax if direction == "max" else np.argmin)(history[name])
        metrics = {
            n: float(v[best]) for n, v in history.items() if n not in _NO_METRICS and np.isfinite(v[best])
        }
        write_json(folder.metrics, metrics)  # written last: marks the run complete

    def _build(self, builder, data, discovered):
        keras.utils.set_random_seed(self.seed)
        hp = keras_tuner.HyperParameters()
        hp.values = dict(self.values)
        model = builder.build(hp)
        if not model.built:
            model(first_batch(data.train, self.batch_size)[0])
        discovered(hp.get_config()["space"], hp.values)
        return model, hp

    def _own_fit(self, builder, hp, model, data, folder, reports, until_epoch):
        """Calls a HyperModel's own `fit`, which always starts at its beginning."""
        epochs = OwnEpochs(
            self.objective[0], [*kept(folder, self.objective), *([reports] if reports else [])]
        )
        given = data.train if isinstance(data.train, tuple) else (data.train,)
        options = {"callbacks": [FiniteCheck(), epochs], "verbose": 0}
        if len(given) == 3:
            options["sample_weight"] = given[2]
        if data.validation is not None:
            options["validation_data"] = data.validation
        if until_epoch or self.given_epochs:
            options["epochs"] = until_epoch or self.given_epochs
        with folder.locked():
            result = builder.fit(hp, model, *given[:2], **options)
            report_result(result, epochs, model)
            if not folder.model.exists():
                plain(model).save(folder.model)


def hyperparameters_json(hp: keras_tuner.HyperParameters, values: dict) -> dict:
    """Returns values and their space as `hyperparameters.json` holds them, a config of HyperParameters."""
    own = {name: value for name, value in values.items() if not name.startswith("tuner/")}
    return {"values": own, "space": hp.get_config()["space"]}


def _tensorboard(folder):
    is_tensorflow = keras.backend.backend() == "tensorflow"
    return [keras.callbacks.TensorBoard(folder.tensorboard, write_graph=False)] if is_tensorflow else []
