"""The interface between `fit` and a kind of data and models."""

import abc
import dataclasses
import os
from typing import Any, ClassVar, Self

import keras

from keras_vit.bounded_building import bounded_building
from keras_vit.constraints import annotations, defaults_of
from keras_vit.errors import InputError
from keras_vit.training.data.order import WHOLE
from keras_vit.training.metrics import LOGGED, Metric, sentence
from keras_vit.training.own_model import Contract, build_own
from keras_vit.training.own_parts import metric_name, own_metrics
from keras_vit.training.recipe import Recipe


@dataclasses.dataclass(frozen=True, eq=False)
class Prepared:
    """A model to train and the data that it is trained on."""

    model: keras.Model
    data: Any  # as `Task.streams` takes it
    whole: keras.Model | None = None  # to keep, shares the layers of `model`; None: `model` itself
    callbacks: tuple = ()  # that only this model needs


class Task(abc.ABC):
    """A kind of data, the models for it, and how they are trained and evaluated; its recipe is its state."""

    recipe_class: ClassVar[type[Recipe]]
    data_class: ClassVar[type]
    kind: ClassVar[str]  # "images", "text" or "pairs"
    metrics: ClassVar[tuple[Metric, ...]]  # of the test split, that are shown
    tested: ClassVar[tuple[str, str]]  # key of the number of tested items in metrics.json, a word for them
    items: ClassVar[str]  # of a batch, in the plural
    measurable: ClassVar[bool] = False  # whether FLOPs, size and latency of its models can be measured
    single_device: ClassVar[str] = ""  # why several devices cannot train it; empty where they can
    contract: ClassVar[type[Contract]]  # of own models
    unused: ClassVar[
        tuple[str, ...]
    ] = ()  # fields of the recipe that the data have no use for, with 0 as off
    monitor: ClassVar[tuple[str, str]]  # the metric that early stopping watches, and "max" or "min"

    def __init__(self, recipe: Recipe):
        self.recipe = recipe

    @classmethod
    def accepts(cls, recipe):
        """Returns whether a recipe is of this kind."""
        return isinstance(recipe, cls.recipe_class)

    def continuing(self, folder) -> Self:
        """Returns the task with what was decided when the run in a folder was started."""
        return self

    @abc.abstractmethod
    def load_data(self, data_dir=None):
        """Loads the data of the recipe, with a training, a validation and a test split."""

    @abc.abstractmethod
    def build_model(self, data):
        """Builds the untrained model, a `keras.Model`."""

    def take(self, data, data_dir=None):
        """Returns data that were given in Python, as `load_data` returns those of the recipe."""
        return data

    def knowing(self, data) -> Self:
        """Returns the task with what its data decide."""
        return self

    def check_recipe(self) -> None:  # noqa: B027
        """Raises InputError for fields that a new run on the data has no use for."""

    def decided(self, data) -> dict[str, Any]:
        """Returns what the data decide of what the recipe leaves open, by its fields, for `recipe.json`."""
        return {}

    def prepare(self, data) -> Prepared:
        """Builds the untrained model and what it is trained on; refuses data of another type."""
        if not isinstance(data, self.data_class):
            raise InputError(
                f"Expected data to be {self.data_class.__name__}, which keras_vit.training.load_data returns,"
                f" received {type(data).__name__}."
            )
        return self._prepare(data)

    def _prepare(self, data):
        return Prepared(self.build_model(data), data)

    def final_model(self, model):
        """Returns the model to keep of the one in training: the same layers, without the optimizer."""
        return keras.Model(model.inputs, model.outputs, name=model.name)

    def optimizer_class(self, optimizer_class, model, num_steps):
        """Returns the class of `keras.optimizers` with which a model is trained for so many steps."""
        return optimizer_class

    @abc.abstractmethod
    def steps_per_epoch(self, data):
        """Returns the number of training steps in an epoch."""

    @abc.abstractmethod
    def compile_options(self):
        """Returns what `model.compile` gets for loss and metrics; a metric is named `accuracy`."""

    @abc.abstractmethod
    def streams(self, data, start_epoch=0, start_step=0, share=WHOLE):
        """Returns what `model.fit` gets for `x` and `validation_data`; `x` starts at that step.

        `share` is the part of each batch that this process gets.
        """

    @abc.abstractmethod
    def fingerprint_arrays(self, data):
        """Returns a list of all arrays that the training depends on: a run is resumed with the same."""

    @abc.abstractmethod
    def rank(self, logs):
        """Returns a list of floats, greater for an epoch with a better model."""

    @abc.abstractmethod
    def describe(self, folder, prepared):
        """Writes next to the model what its outputs mean."""

    @abc.abstractmethod
    def check_described(self, folder, data):
        """Raises InputError when the data differ in kind from those that the run was trained on."""

    @abc.abstractmethod
    def check_model(self, folder, model, data):
        """Raises InputError when the loaded model of a run does not fit its data."""

    @abc.abstractmethod
    def evaluate(self, folder, model, data):
        """Evaluates a model on the test split, writes `metrics.json` and the report, returns the metrics."""

    def summary(self, metrics):
        """Returns what `evaluate` returned, in one line."""
        key, word = self.tested
        return f"{metrics['data']}, {metrics[key]:,} test {word}: {sentence(self.metrics, metrics)}"

    def place(self, metrics) -> list[str]:
        """Returns lines that put what `evaluate` returned in its place: between chance and certainty."""
        return []

    def logged(self) -> dict[str, str | None]:
        """Returns the metrics of each epoch's logs: `"min"` or `"max"`, None where that is not known."""
        known = {**LOGGED, **{metric_name(metric): None for metric in own_metrics(self.recipe)}}
        return {f"val_{name}": better for name, better in known.items()}

    def notes(self, data) -> list[str]:
        """Returns lines on what a training does with these data that nobody stated."""
        return []

    def hint(self, prepared) -> str | None:
        """Returns a line on what may go wrong in a training, or None."""
        return None

    def callbacks(self, folder, prepared):
        """Returns callbacks that only this task and its model need."""
        return list(prepared.callbacks)

    def options_of(self, loader) -> dict[str, Any]:
        """Returns the fields of the recipe that are options of a loader of data; its seed is `data_seed`."""
        common = annotations(type(self.recipe)).keys() & defaults_of(loader).keys()
        return {**{name: getattr(self.recipe, name) for name in common}, "seed": self.recipe.data_seed}

    def build(self, **inputs):
        """Calls the model's builder with what the data decide and the model's options of the recipe."""
        keras.utils.set_random_seed(self.recipe.seed)
        with bounded_building(f"Model {self.recipe.model!r}", _most_numbers(), "memory has room to train"):
            given = {"seed": self.recipe.seed, "dtype": self.recipe.precision, **inputs}
            builder = self.recipe.builder_of(self.recipe.model)
            if self.recipe.model in self.recipe.builders:
                return builder(**given, **self.recipe.model_options)
            return build_own(self.recipe, builder, given, self.contract(**inputs))


def _most_numbers():
    """Returns how many weights fit into memory, each with its gradient and two moments of the optimizer."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 2**36
    return memory // 16
