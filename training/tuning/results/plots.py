"""Plots of a search. `scored` are TrialRecords with scores, `objective` is `(name, "min" or "max")`."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.ticker import NullLocator, PercentFormatter

from keras_vit.training.report.style import BLUE, ORANGE, SKY, figure, percent_axis, words
from keras_vit.training.tuning.costs import COSTS
from keras_vit.training.tuning.keras_tuner_internals import is_choice, varying
from keras_vit.training.tuning.state.records import STOPPED

WIDE = 9.0  # inches
LABEL = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
MIN_TRIALS = 6  # with fewer an estimate of importance has no meaning
TREES = 200


def pareto_plot(scored, fronts, objective, winner=None):
    """Plots score against each cost, with the front as a line and the winner marked; None without fronts."""
    if not any(fronts.values()):
        return None
    columns = min(len(fronts), 2)
    rows = -(-len(fronts) // columns)
    canvas = figure(height=2.6 * rows + 0.6, width=6.6 if columns > 1 else 5.0)  # legible on a phone
    panels = canvas.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, (cost, front) in zip(panels.flat, fronts.items(), strict=True):
        _pareto_panel(axes, cost, scored, front, winner)
    percent_axis(panels[0, 0].yaxis, objective[0])
    for axes in panels[:, 0]:
        axes.set_ylabel(words(objective[0]))
    canvas.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return canvas


def _pareto_panel(axes, cost, scored, front, winner):
    def points(records):
        known = [record for record in records if cost in record.footprint]
        return [r.footprint[cost] / COSTS[cost].divisor for r in known], [r.score for r in known]

    stopped = [record for record in scored if record.status == STOPPED]
    axes.scatter(*points([r for r in scored if r.status != STOPPED]), color=SKY, s=28, label="trial")
    if stopped:  # with more epochs their scores would be higher
        style = {"facecolor": "white", "edgecolor": BLUE, "s": 28, "zorder": 3}
        axes.scatter(*points(stopped), **style, label="stopped early")
    axes.plot(*points(front), color=BLUE, marker="o", markersize=5, label="Pareto front")
    if winner is not None:
        axes.scatter(*points([winner]), color=ORANGE, marker="*", s=170, zorder=3, label="winner")
    axes.set_xscale("log")
    axes.set_xlabel(COSTS[cost].label)
    axes.grid(color="0.9")
    _decimal_ticks(axes.xaxis, points(scored)[0])


def parallel_plot(scored, space, objective, winner=None):
    """Plots each trial as a line across the fields that it has, among those that vary, to its score."""
    fields = varying(space.hyperparameters)
    if not scored:
        return None
    canvas = figure(height=4.6, width=max(WIDE, 0.75 * (len(fields) + 1)))
    axes = canvas.subplots()
    scores = [record.score for record in scored]
    norm, colors = Normalize(min(scores), max(scores)), colormaps["viridis"]
    for record in sorted(scored, key=lambda r: r.score, reverse=objective[1] == "min"):
        positions = np.array([*(_position(hp, record.values) for hp in fields), float(norm(record.score))])
        known = np.flatnonzero(np.isfinite(positions))  # a line with a gap would end before its score
        best = winner is not None and record.id == winner.id
        axes.plot(
            known,
            positions[known],
            color=ORANGE if best else colors(norm(record.score)),
            linewidth=3 if best else 1.2,
            zorder=3 if best else 2,
        )
    places = range(len(fields) + 1)
    for place, hp in enumerate(fields):
        _mark(axes, place, hp)
    _mark_ends(axes, len(fields), _score(min(scores), objective), _score(max(scores), objective))
    axes.vlines(places, 0, 1, color="0.75", linewidth=0.8, zorder=0)
    names = [words(name) for name in (*(hp.name for hp in fields), objective[0])]
    axes.set_xticks(places, names, rotation=35, ha="right")
    axes.set_yticks([])
    axes.set_ylim(-0.09, 1.09)
    axes.spines[:].set_visible(False)
    return canvas


def importance_plot(scored, space, objective):
    """Plots how much of the score each field explains, or returns None when there are too few trials."""
    if len(scored) < MIN_TRIALS:
        return None
    shares = importances(scored, space)
    canvas = figure(height=1.0 + 0.28 * len(shares))
    axes = canvas.subplots()
    axes.barh([words(name) for name in shares], list(shares.values()), color=BLUE, height=0.6)
    axes.invert_yaxis()
    axes.set_xlabel(f"Share in the {words(objective[0]).lower()}'s\nvariation over {len(scored)} trials")
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(axis="x", color="0.9")
    return canvas


def importances(scored, space):
    """Estimates which share of the scores' variation each field explains: a dict, the largest first.

    A random forest learns the scores from the values; a field's importance is the increase of the forest's
    error when its values are shuffled among the trials. A field that has no effect in a trial counts as its
    default. With some ten trials that is a hint, not a measurement. The shares sum to 1, or are all 0.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    fields = varying(space.hyperparameters)
    x = np.array([[hp.value_to_prob(_value(hp, r.values, hp.default)) for hp in fields] for r in scored])
    y = np.array([record.score for record in scored])
    forest = RandomForestRegressor(TREES, random_state=0).fit(x, y)
    gains = permutation_importance(forest, x, y, n_repeats=20, random_state=0).importances_mean.clip(0)
    shares = gains / (gains.sum() or 1)
    return {fields[i].name: float(shares[i]) for i in np.argsort(-shares, kind="stable")}


def _position(hp, values):
    """Returns the position of a value on its axis; NaN when the field had no effect in that trial."""
    if _value(hp, values) is None:
        return np.nan
    if is_choice(hp):
        return _level(list(hp.values).index(values[hp.name]), len(hp.values))
    return hp.value_to_prob(values[hp.name])


def _value(hp, values, otherwise=None):
    """Returns the value of a field, unless it had no effect or is one of a field with the same name."""
    value = values.get(hp.name, otherwise)
    return otherwise if is_choice(hp) and value not in hp.values else value


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


def _decimal_ticks(axis, values):
    """Labels a logarithmic axis of a small range with numbers instead of powers of ten."""
    low, high = min(values), max(values)
    axis.set_ticks([float(f"{value:.2g}") for value in np.geomspace(low, high, 4 if high > low else 1)])
    axis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axis.set_minor_locator(NullLocator())


def _score(value, objective):
    return f"{100 * value:.1f} %" if objective[0].endswith("accuracy") else f"{value:.3g}"
