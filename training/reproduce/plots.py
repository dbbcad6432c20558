"""Plots of an experiment's rows. Each function returns a function for `Experiment.plots`."""

from collections.abc import Callable

from matplotlib.ticker import MaxNLocator

from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.report.style import BLUE, GREEN, ORANGE, SKY, figure, percent_axis, phrase, words
from keras_vit.training.reproduce.results import mean_and_spread

COLOURS = (BLUE, ORANGE, GREEN, SKY, "#cc79a7", "#e69f00", "#000000")  # Okabe and Ito
DASHES = ("-", "--", ":", "-.")
DEFAULTS = ImageRecipe().as_dict()


def curves(key: str = "val_accuracy", labels: tuple[str, ...] | None = None, name: str = "curves"):
    """Plots a column of the history by epoch, one line for each configuration (its first seed)."""

    def plot(rows):
        shown = [row for row in rows if row["runs"] and (labels is None or row["label"] in labels)]
        if not shown:
            return None
        title = words(key if key.startswith("val_") else f"training_{key}")
        canvas = figure(height=3.8)
        axes = canvas.subplots()
        for index, row in enumerate(shown):
            values = row["runs"][0]["curve"][key]
            axes.plot(
                range(1, len(values) + 1),
                values,
                color=COLOURS[index % len(COLOURS)],
                linestyle=DASHES[index // len(COLOURS) % len(DASHES)],
                marker="o" if len(values) <= 3 else None,
                label=row["label"],
            )
        axes.set_xlabel("Epoch")
        axes.set_ylabel(title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="y", color="0.9")
        percent_axis(axes.yaxis, key)
        _legend_below(canvas, axes, len(shown))
        return name, f"{title} by epoch.", canvas

    return plot


def bars(metric="accuracy"):
    """Plots a metric of every configuration as a bar, with the report's figure as a line across it."""

    def plot(rows):
        shown = [row for row in rows if row["runs"]]
        canvas = figure(height=0.9 + 0.42 * len(shown))
        axes = canvas.subplots()
        for place, row in enumerate(shown):
            mean, spread = mean_and_spread(row, metric)
            axes.barh(place, mean, xerr=spread or None, color=SKY, ecolor="0.3", height=0.6)
            if row["reported"] is not None:
                axes.plot([row["reported"]] * 2, [place - 0.38, place + 0.38], color=ORANGE, linewidth=2.5)
        axes.set_yticks(range(len(shown)), [row["label"] for row in shown])
        axes.invert_yaxis()
        axes.set_xlabel(words(metric))
        axes.grid(axis="x", color="0.9")
        percent_axis(axes.xaxis, metric)
        caption = f"{words(metric)} (bar: ours; line across: the report's, where it gives one)."
        return "figures", caption, canvas

    return plot


def sweep(field: str, metric: str = "accuracy", groups: dict[str, Callable] | None = None, log: bool = False):
    """Plots a metric against a field of the recipe, without the configurations where that is None.

    `groups` maps the name of each line (empty: not in the legend) to a predicate on labels; by default one
    line has all. With runs of fewer than two values there is nothing to draw. `log` scales the x axis.
    """

    def plot(rows):
        canvas = figure(height=3.6)
        axes = canvas.subplots()
        settings = [(row["recipe"].get(field, DEFAULTS.get(field)), row) for row in rows if row["runs"]]
        lines = groups or {"": lambda label: True}
        shown = set()
        for index, (line, belongs) in enumerate(lines.items()):
            points = sorted(
                (value, *mean_and_spread(row, metric))
                for value, row in settings
                if value is not None and belongs(row["label"])
            )
            if points:
                x, y, spread = zip(*points, strict=True)
                axes.errorbar(x, y, yerr=spread, marker="o", capsize=3, color=COLOURS[index], label=line)
                shown.update(x)
        if len(shown) < 2:
            return None
        if log:
            axes.set_xscale("log")
        values = sorted(shown)
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.minorticks_off()
        axes.set_xlabel(words(field))
        axes.set_ylabel(words(metric))
        axes.grid(color="0.9")
        percent_axis(axes.yaxis, metric)
        if any(lines):
            axes.legend()
        return f"{metric}_by_{field}", f"{words(metric)} by {phrase(field)}.", canvas

    return plot


def _legend_below(canvas, axes, count):
    for columns in (2, 1) if count > 3 else (1,):
        legend = canvas.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns)
        canvas.set_figheight(3.6 + 0.22 * count / columns)
        if columns == 1 or legend.get_window_extent(canvas.canvas.get_renderer()).width <= canvas.bbox.width:
            return
        legend.remove()
