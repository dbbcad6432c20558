"""Compares finished searches of one space, at equal compute, with each other and a hand-made recipe.

    keras-vit tune vit_digits --tuner asha ... --run-dir runs/asha
    keras-vit tune vit_digits --tuner random ... --run-dir runs/random
    keras-vit train vit_digits seed=0 --run-dir runs/hand0        # and other seeds
    python benchmarks/tune_comparison.py runs/asha runs/random --by-hand runs/hand0 runs/hand1 runs/hand2

The compute of a search is counted, not timed: the floating-point operations of each trial's model times
the epochs that it trained, summed; trials over a limit train none. The score at equal compute is the best
among the trials started before it had spent the total of the cheapest search. Latency is
relative to the model of `--relative-to`, which should be the hand-made recipe.
"""

import argparse
import csv
import statistics
import sys
from pathlib import Path

from keras_vit.io.files import write_text
from keras_vit.io.json_files import read_json
from keras_vit.training.tuning.state.journal import Journal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("searches", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--by-hand", nargs="+", type=Path, default=[], metavar="RUN")
    parser.add_argument("--write", metavar="FILE", help="Markdown table")
    options = parser.parse_args()
    searches = [Search(folder) for folder in options.searches]
    least = min(search.compute for search in searches)
    rows = [search.row(least, searches[0].compute) for search in searches]
    if options.by_hand:
        rows.append(by_hand(options.by_hand))
    text = table(rows)
    print(text)
    if options.write:
        write_text(options.write, text)


class Search:
    """The results of a search in its folder."""

    def __init__(self, folder):
        self.tuner = Journal(folder / "journal.jsonl", print).read()[0]["tuner"]
        with open(folder / "results.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["score"]]
        self.trials = [(float(r["score"]), int(r["epochs"]) * float(r["flops"]), r["status"]) for r in rows]
        self.compute = sum(spent for _, spent, _ in self.trials)
        summaries = sorted(folder.glob("winner-*/summary.json"), key=lambda path: path.stat().st_mtime)
        self.summary = read_json(summaries[-1]) if summaries else None

    def row(self, least, unit):
        spent, best = 0.0, None
        for score, cost, _ in self.trials:
            if spent >= least:
                break
            best, spent = score if best is None else max(best, score), spent + cost
        stopped = sum(status == "stopped" for *_, status in self.trials)
        counted = f"{len(self.trials)} ({stopped} stopped)"
        cells = [self.tuner, counted, f"{self.compute / unit:.2f}", percent(best)]
        if self.summary is None:
            return [*cells, "not trained", "", ""]
        latency = self.summary["footprint"].get("latency_ratio")
        tested = accuracies([run["test"]["accuracy"] for run in self.summary["runs"]])
        return [*cells, *tested, "" if latency is None else f"{latency:.2f}"]


def by_hand(runs):
    tested = [read_json(run / "metrics.json")["accuracy"] for run in runs]
    return ["recipe made by hand", "", "", "", *accuracies(tested), "1.00"]


def accuracies(values):
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return [percent(statistics.fmean(values)), f"{100 * spread:.2f} ({len(values)})"]


def percent(value):
    return f"{100 * value:.2f} %"


def table(rows):
    head = (
        "search", "trials trained", "compute", "best score at equal compute", "winner's test accuracy",
        "standard deviation (seeds)", "latency",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
