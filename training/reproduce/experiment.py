"""An experiment: the runs that it compares, and the report's figure for each."""

import dataclasses
from collections.abc import Callable, Sequence

from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.reproduce.plots import bars, curves


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One line of an experiment's table: the mean and spread of one run for each seed."""

    label: str  # unique in its experiment
    recipe: Recipe  # its seed is replaced
    reported: float | None = None  # the report's figure, in the experiment's metric and unit
    seeds: tuple[int, ...] = (0,)
    pretrained_by: str | None = None  # label of the configuration whose first run has the initial weights


def variants(recipe: Recipe, changes: dict[str, dict], **options) -> tuple[Configuration, ...]:
    """Returns a configuration for each label and its changes of a recipe."""
    return tuple(
        Configuration(label, recipe.replace(**changed), **options) for label, changed in changes.items()
    )


def vary(recipe: Recipe, field: str, values: Sequence, **options) -> tuple[Configuration, ...]:
    """Returns a configuration for each value of a recipe's field, labelled `field=value`."""
    return variants(recipe, {f"{field}={value}": {field: value} for value in values}, **options)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Runs to compare. Plots are functions from rows to `(name, caption, figure)`, or None for no figure."""

    title: str
    configurations: tuple[Configuration, ...]  # in the order of the table
    metric: str = "accuracy"  # the metric of the report's figures
    columns: tuple[str, ...] = ()  # more metrics for the table; "a.b" is the `b` of a dict `a`
    assumptions: str = ""  # made where the report is unclear, in sentences
    plots: tuple[Callable, ...] = (curves(), bars())
    report_pictures: tuple[str, ...] = ()  # to copy from the report of each configuration's first run
    quick: tuple[str, ...] = ("epochs=1", "subset=640")  # recipe assignments of a smoke run

    def __post_init__(self):
        labels = [configuration.label for configuration in self.configurations]
        if len(set(labels)) != len(labels):
            raise ValueError(f"Expected labels that differ, received {labels}.")
        for configuration in self.configurations:
            if configuration.pretrained_by not in (None, *labels):
                raise ValueError(f"Expected one of {labels}, received {configuration.pretrained_by!r}.")

    def labelled(self, label: str) -> Configuration:
        return next(c for c in self.configurations if c.label == label)

    def chosen(self, labels: Sequence[str] | None) -> tuple[Configuration, ...]:
        """Returns the configurations of some labels and those they are pretrained by; all for None."""
        if labels is None:
            return self.configurations
        known = [configuration.label for configuration in self.configurations]
        unknown = [label for label in labels if label not in known]
        if unknown:
            listed = ", ".join(map(repr, known))
            raise InputError(f"Unknown configuration {unknown[0]!r}. Expected one of {listed}.")
        labels = {*labels, *(self.labelled(label).pretrained_by for label in labels)}
        return tuple(c for c in self.configurations if c.label in labels)
