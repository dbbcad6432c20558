"""An experiment: the runs that it compares, and the report's figure for each."""

import dataclasses
from collections.abc import Callable

from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One line of an experiment's table.

    Attributes:
        label: str, unique in its experiment.
        recipe: Recipe; its seed is replaced.
        reported: float or None, the report's figure, in the experiment's metric and unit.
        seeds: tuple of int, one run each; the table gives their mean and spread.
        pretrained_by: str or None, label of the configuration whose first run provides the initial weights.
    """

    label: str
    recipe: Recipe
    reported: float | None = None
    seeds: tuple[int, ...] = (0,)
    pretrained_by: str | None = None


def vary(recipe, field, values, **options):
    """Returns a configuration for each value of a recipe's field, labelled `field=value`.

    Args:
        recipe: Recipe.
        field: str.
        values: sequence.
        **options: of Configuration.
    """
    return tuple(
        Configuration(f"{field}={value}", recipe.replace(**{field: value}), **options) for value in values
    )


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Runs to compare.

    Attributes:
        title: str.
        configurations: tuple of Configuration, in the order of the table.
        metric: key of the metric that the report gives, such as `"accuracy"`, in [0, 1].
        columns: keys of more metrics for the table; `"novelty.new"` is the `new` of the dict `novelty`.
        assumptions: what was assumed where the report is unclear, in sentences.
        plots: functions from rows to `(name, caption, figure)`, or None where there is nothing to draw,
            from `keras_vit.training.reproduce.plots`.
        report_pictures: names of pictures to copy from the report of each configuration's first run.
        quick: recipe assignments of a smoke run.
    """

    title: str
    configurations: tuple[Configuration, ...]
    metric: str = "accuracy"
    columns: tuple[str, ...] = ()
    assumptions: str = ""
    plots: tuple[Callable, ...] = ()
    report_pictures: tuple[str, ...] = ()
    quick: tuple[str, ...] = ("epochs=1", "subset=640")

    def __post_init__(self):
        labels = [configuration.label for configuration in self.configurations]
        if len(set(labels)) != len(labels):
            raise ValueError(f"Expected labels that differ, received {labels}.")
        for configuration in self.configurations:
            if configuration.pretrained_by not in (None, *labels):
                raise ValueError(f"Expected one of {labels}, received {configuration.pretrained_by!r}.")

    def labelled(self, label):
        """Returns the configuration of a label."""
        return next(c for c in self.configurations if c.label == label)

    def chosen(self, labels):
        """Returns the configurations of some labels and those they are pretrained by; all for None.

        Raises:
            InputError: an unknown label.
        """
        if labels is None:
            return self.configurations
        known = [configuration.label for configuration in self.configurations]
        unknown = [label for label in labels if label not in known]
        if unknown:
            listed = ", ".join(map(repr, known))
            raise InputError(f"Unknown configuration {unknown[0]!r}. Expected one of {listed}.")
        labels = {*labels, *(self.labelled(label).pretrained_by for label in labels)}
        return tuple(c for c in self.configurations if c.label in labels)
