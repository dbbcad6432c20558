"""Pictures of a search."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.ticker import NullLocator, PercentFormatter

from keras_vit.training.report.style import BLUE, ORANGE, SKY, figure
from keras_vit.training.tuning.results.importance import FEWEST, importances
from keras_vit.training.tuning.space.space import is_choice
from keras_vit.training.tuning.state.records import STOPPED

WIDE = 9.0  # inches
LABEL = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
_AXES = {
    "latency_ms": ("Latency of one image (ms)", 1),
    "size_bytes": ("Size (MB)", 1e-6),
    "flops": ("Operations for one image (MFLOPs)", 1e-6),
    "parameters": ("Parameters", 1),
}


def pareto_plot(scored, fronts, objective, winner=None):
    """Plots score against each cost, with the front as a line and the winner marked.

    Args:
        scored: list of TrialRecord with scores.
        fronts: dict from a cost to a list of TrialRecord, the cheapest first.
        objective: `(name, "min" or "max")`.
        winner: TrialRecord or None.

    Returns:
        A figure, or None when there is nothing to show.
    """
    if not any(fronts.values()):
        return None
    columns = min(len(fronts), 2)
    rows = -(-len(fronts) // columns)
    canvas = figure(height=3.0 * rows + 0.6, width=WIDE if columns > 1 else 5.0)
    panels = canvas.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, (cost, chosen) in zip(panels.flat, fronts.items(), strict=True):
        label, unit = _AXES[cost]

        def points(records, cost=cost, unit=unit):
            known = [record for record in records if cost in record.footprint]
            return [r.footprint[cost] * unit for r in known], [r.score for r in known]

        whole = [record for record in scored if record.status != STOPPED]
        stopped = [record for record in scored if record.status == STOPPED]
        axes.scatter(*points(whole), color=SKY, s=28, label="trial")
        if stopped:  # which more epochs would have lifted
            axes.scatter(
                *points(stopped), facecolor="white", edgecolor=BLUE, s=28, zorder=3, label="stopped early"
            )
        axes.plot(*points(chosen), color=BLUE, marker="o", markersize=5, label="Pareto front")
        if winner is not None:
            axes.scatter(*points([winner]), color=ORANGE, marker="*", s=170, zorder=3, label="winner")
        axes.set_xscale("log")
        axes.set_xlabel(label)
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
        _plain_ticks(axes.xaxis, [x for record in scored for x in points([record])[0]])
    _percent(panels[0, 0].yaxis, objective)
    for axes in panels[:, 0]:
        axes.set_ylabel(_words(objective[0]))
    canvas.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return canvas


def parallel_plot(scored, space, objective, winner=None):
    """Plots each trial as a line over the fields that vary, coloured by its score."""
    fields = space.hyperparameters.space
    if not scored:
        return None
    canvas = figure(height=4.6, width=max(WIDE, 0.75 * (len(fields) + 1)))
    axes = canvas.subplots()
    scores = [record.score for record in scored]
    norm, colours = Normalize(min(scores), max(scores)), colormaps["viridis"]
    for record in sorted(scored, key=lambda r: r.score, reverse=objective[1] == "min"):
        heights = [_height(hp, record.values) for hp in fields] + [float(norm(record.score))]
        best = winner is not None and record.id == winner.id
        axes.plot(
            heights,
            color=ORANGE if best else colours(norm(record.score)),
            linewidth=3 if best else 1.2,
            zorder=3 if best else 2,
        )
    places = range(len(fields) + 1)
    for place, hp in enumerate(fields):
        _mark(axes, place, hp)
    _mark_ends(axes, len(fields), _score(min(scores), objective), _score(max(scores), objective))
    axes.vlines(places, 0, 1, color="0.75", linewidth=0.8, zorder=0)
    axes.set_xticks(
        places, [*(_words(hp.name) for hp in fields), _words(objective[0])], rotation=35, ha="right"
    )
    axes.set_yticks([])
    axes.set_ylim(-0.09, 1.09)
    axes.spines[:].set_visible(False)
    return canvas


def importance_plot(scored, space, objective):
    """Plots how much of the score each field explains, or returns None with too few trials to tell."""
    if len(scored) < FEWEST:
        return None
    shares = importances(scored, space)
    canvas = figure(height=1.0 + 0.28 * len(shares))
    axes = canvas.subplots()
    names = [_words(name) for name in shares]
    axes.barh(names, list(shares.values()), color=BLUE, height=0.6)
    axes.invert_yaxis()
    axes.set_xlabel(f"Share in the {_words(objective[0]).lower()}'s\nvariation over {len(scored)} trials")
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    return canvas


def _height(hp, values):
    """Where a value stands on its axis; nowhere when the field had no effect in that trial."""
    if hp.name not in values:
        return np.nan
    if is_choice(hp):
        return _level(list(hp.values).index(values[hp.name]), len(hp.values))
    return hp.value_to_prob(values[hp.name])


def _mark(axes, place, hp):
    if not is_choice(hp):
        _mark_ends(axes, place, f"{hp.min_value:g}", f"{hp.max_value:g}")
        return
    for index, value in enumerate(hp.values):
        place_of_text = place + 0.06, _level(index, len(hp.values))
        axes.text(*place_of_text, value, fontsize=7, va="center", color="0.25", bbox=LABEL, zorder=4)


def _mark_ends(axes, place, low, high):
    axes.text(place, -0.02, low, fontsize=7, ha="center", va="top", color="0.25")
    axes.text(place, 1.02, high, fontsize=7, ha="center", va="bottom", color="0.25")


def _level(index, count):
    return (index + 0.5) / count


def _plain_ticks(axis, values):
    """Ticks that are numbers, not powers of ten, on a logarithmic axis that spans little."""
    low, high = min(values), max(values)
    axis.set_ticks([float(f"{value:.2g}") for value in np.geomspace(low, high, 4 if high > low else 1)])
    axis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axis.set_minor_locator(NullLocator())


def _score(value, objective):
    return f"{100 * value:.1f} %" if objective[0].endswith("accuracy") else f"{value:.3g}"


def _percent(axis, objective):
    if objective[0].endswith("accuracy"):
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))


def _words(name):
    words = {
        "val": "validation",
        "dim": "size",
        "num": "number of",
        "mlp": "MLP",
        "randaugment": "RandAugment",
    }
    text = " ".join(words.get(part, part) for part in name.split("_"))
    return text[0].upper() + text[1:]
