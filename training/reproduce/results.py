"""An experiment's results: read from its run folders, and written as table, plots and JSON."""

import dataclasses
import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_vit.io import markdown
from keras_vit.io.files import read_text, write_text
from keras_vit.io.html_page import duration
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training.metrics import CURVES
from keras_vit.training.report.history import read_history
from keras_vit.training.report.style import drawing, save_atomically
from keras_vit.training.run_folder import RunFolder

QUICK = "Smoke run: next to nothing was trained, the figures mean nothing."


def run_dir(runs, configuration, seed):
    """Returns the run folder of a configuration and a seed, below the folder `runs`."""
    slug = re.sub(r"[^a-z0-9.]+", "-", configuration.label.lower()).strip("-")
    return Path(runs) / f"{slug}-seed{seed}"


def read_rows(experiment, place):
    """Returns a dict for each configuration, whether it was run or not.

    Its `runs` contain, for each finished seed, the numbers of `metrics.json` (`a.b` is the `b` of the dict
    `a`), `train_accuracy` (the mean over the last epoch during training), `epochs`, `seconds` and the curves.
    Its `diverged` lists the seeds whose numbers became non-finite. Runs are read from the run folders below
    `place`, those without a folder from its `results.json`, if they had the same recipe.
    """
    return [_row(c, place / "runs", *recorded_runs(c, place)) for c in experiment.configurations]


def recorded_runs(configuration, place):
    """Returns the `runs` and `diverged` of a configuration in `results.json`, each a dict by seed."""
    file = place / "results.json"
    rows = read_json(file, dict).get("rows", []) if file.exists() else []
    recipe = json.loads(json.dumps(configuration.recipe.changed()))  # with lists for tuples, as in the file
    same = {"label": configuration.label, "recipe": recipe}
    row = next((row for row in rows if row | same == row), {})
    return tuple(
        {entry["seed"]: entry for entry in row.get(kind, ()) if entry["seed"] in configuration.seeds}
        for kind in ("runs", "diverged")
    )


def mean_and_spread(row, metric):
    """Returns the mean over a row's runs and their standard deviation (0 for one); None without runs."""
    values = [run[metric] for run in row["runs"] if metric in run]
    if not values:
        return None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def table(experiment, rows, quick=False):
    """Returns the table in Markdown: the report's figure, ours, and the cost."""
    metric, columns = experiment.metric, experiment.columns
    heads = [f"ours ({_words(metric)})", *map(_words, columns), "runs", "parameters", "time"]
    lines = [["configuration", "report", *heads]]
    for row in rows:
        ours = [_ours(row, key) for key in (metric, *columns)]
        lines.append([row["label"], _figure(row["reported"], metric), *ours, _count(row), *_cost(row)])
    return page_text(experiment, lines, QUICK if quick else None)


def page_text(experiment, lines, note=None):
    """Returns a page in Markdown: title, note, a table of cells, the head first, and the assumptions."""
    parts = [f"# {experiment.title}", note, markdown.table(lines[0], lines[1:]), experiment.assumptions]
    return "\n\n".join(filter(None, parts)) + "\n"


def write_results(place: Path, name, experiment, rows, text, *, plots, copied=(), **fields):
    """Writes the plots, `table.md` and `results.json` of an experiment or computation into a folder.

    `copied` are dicts with `file` and `caption` of more pictures in the folder, `fields` more entries of
    `results.json`, such as `complete=False` when something was not run.
    """
    with drawing():
        drawn = [picture for picture in (plot(rows) for plot in plots) if picture]
        for file, _, canvas in drawn:
            save_atomically(canvas, place / f"{file}.png")
    results = {
        "name": name,
        "title": experiment.title,
        "assumptions": experiment.assumptions,
        "quick": False,
        "complete": True,
        **fields,
        "pictures": [{"file": f"{file}.png", "caption": caption} for file, caption, _ in drawn] + [*copied],
        "rows": rows,
    }
    write_text(place / "table.md", text)
    write_json(place / "results.json", results)  # last: the page looks for it, and reads the table


def _row(configuration, runs, finished, diverged):
    folders = {seed: RunFolder(run_dir(runs, configuration, seed)) for seed in configuration.seeds}
    for seed, folder in folders.items():
        if folder.metrics.exists():
            finished[seed] = _read(seed, folder)
        elif folder.divergence.exists():
            diverged[seed] = {"seed": seed, "reason": read_text(folder.divergence).strip()}
    return {
        "label": configuration.label,
        "reported": configuration.reported,
        "seeds": list(configuration.seeds),
        "recipe": configuration.recipe.changed(),
        "runs": [finished[seed] for seed in configuration.seeds if seed in finished],
        "diverged": [diverged[seed] for seed in configuration.seeds if seed in diverged],
    }


def _read(seed, folder):
    metrics, history = read_json(folder.metrics, dict), read_history(folder.history)
    return {
        "seed": seed,
        **_numbers(metrics),
        "train_accuracy": float(history["accuracy"][-1]),
        "epochs": len(history["epoch"]),
        "seconds": float(history["seconds"].sum()),
        "curve": {key: np.round(history[key], 5).tolist() for key in CURVES},
    }


def _numbers(metrics):
    inner = {
        f"{key}.{name}": value
        for key, values in metrics.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }
    return {key: value for key, value in {**metrics, **inner}.items() if isinstance(value, int | float)}


def _ours(row, metric):
    figures = mean_and_spread(row, metric)
    if figures is None:
        return "-" if row["runs"] else "diverged" if row["diverged"] else "not run"
    mean, spread = figures
    several = f" ± {_figure(spread, metric)}" if len(row["runs"]) > 1 else ""
    return _figure(mean, metric) + several


def _count(row):
    lost = f", {len(row['diverged'])} diverged" if row["diverged"] else ""
    return f"{len(row['runs'])} of {len(row['seeds'])}{lost}"


def _figure(value, metric):
    if value is None:
        return "-"
    return f"{100 * value:.2f} %" if metric.endswith(("accuracy", "share")) else f"{value:.3f}"


def _words(metric):
    return metric.replace("_", " ").replace(".", ", ")


def _cost(row):
    if not row["runs"]:
        return "-", "-"
    seconds = statistics.fmean(run["seconds"] for run in row["runs"])
    return f"{row['runs'][0]['parameters']:,}", duration(seconds)


@dataclasses.dataclass(frozen=True)
class Computation:
    """An experiment that trains nothing: computed numbers, as a table and plots."""

    title: str
    rows: Callable[[], list[dict]]  # one dict for each line of the table, with the same keys
    assumptions: str = ""
    plots: tuple[Callable, ...] = ()  # functions from rows to `(name, caption, figure)`


def compute(name: str, computation: Computation, place: Path) -> list[dict]:
    """Computes the rows, and writes `results.json`, `table.md` and the plots into a folder."""
    rows = computation.rows()
    lines = [[key.replace("_", " ") for key in rows[0]], *(map(_cell, row.values()) for row in rows)]
    write_results(place, name, computation, rows, page_text(computation, lines), plots=computation.plots)
    return rows


def _cell(value):
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )
