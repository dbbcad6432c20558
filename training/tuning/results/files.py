"""The files with the results of a search: tables in CSV, and pictures."""

from keras_vit.io.files import csv_text, write_text
from keras_vit.training.report.style import drawing, save_atomically
from keras_vit.training.tuning.results.best import best_of_each_run, pareto_fronts
from keras_vit.training.tuning.results.plots import importance_plot, parallel_plot, pareto_plot


def write_results(folder, plan, records, winner=None):
    """Writes `results.csv`, `pareto.csv`, `pareto.png`, `parallel.png` and `importance.png`."""
    scored = best_of_each_run(records, plan.objective)
    fronts = pareto_fronts(scored, plan.objective)
    write_text(folder.results, _csv(results_rows(records, fronts, list(plan.space.description()))))
    write_text(folder.pareto, _csv(pareto_rows(fronts)))
    with drawing():
        pictures = {
            "pareto": pareto_plot(scored, fronts, plan.objective, winner),
            "parallel": parallel_plot(scored, plan.space, plan.objective, winner),
            "importance": importance_plot(scored, plan.space, plan.objective),
        }
        for name, canvas in pictures.items():
            if canvas is not None:
                save_atomically(canvas, folder.path / f"{name}.png")


def results_rows(records, fronts, fields):
    """Returns a list of dicts, one for each trial in the order of their start."""
    footprints = dict.fromkeys(name for record in records for name in record.footprint)
    on_front = {record.id for front in fronts.values() for record in front}
    return [
        {
            "trial": record.id,
            "status": record.status or "unfinished",
            "score": record.score,
            "epochs": max(record.epochs, default=0),
            "pareto": record.id in on_front,
            **{name: record.footprint.get(name) for name in footprints},
            **{field: record.values.get(field) for field in fields},
            "seed": record.seed,
            "continues": record.values.get("tuner/trial_id"),
            "seconds": record.seconds,
            "reason": record.reason,
        }
        for record in records
    ]


def pareto_rows(fronts):
    """Returns a list of dicts, one for each trial of each front, the cheapest first."""
    return [
        {"against": cost, "trial": record.id, "score": record.score, **record.footprint}
        for cost, front in fronts.items()
        for record in front
    ]


def _csv(rows):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text([columns, *([row.get(name) for name in columns] for row in rows)])
