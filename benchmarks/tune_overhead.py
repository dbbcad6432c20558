"""Measures what a trial of a search costs in addition to its training, and whether the main process grows.

    python benchmarks/tune_overhead.py
    python benchmarks/tune_overhead.py --trials 5

A search of `vit_digits` with short trainings runs as `keras-vit tune` does, latency relative to the model of
the recipe `vit_digits` included. What counts is CPU time of the trial's process except `fit`: its start,
data, conversion and measuring, and the share of the main process. Memory of the main process is compared
between the end of the second trial and that of the last.
"""

import argparse
import functools
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path

import keras_vit.training.tuning.workers.trial
from keras_vit.export.footprint import footprint
from keras_vit.training.recipes import find_recipe
from keras_vit.training.tuning.costs import Limits
from keras_vit.training.tuning.plan import plan
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import Ledger
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.workers.local_workers import LocalWorkers
from keras_vit.training.tuning.workers.processes import Processes
from keras_vit.training.tuning.workers.runner import TrialRunner

ASSIGNMENTS = ["epochs=2", "subset=640", "batch_size=64"]
TIMES = "times.json"


class TimedProcesses(Processes):
    """Makes each process write its CPU time to a file, in total and in `fit`."""

    def run(self, target, job, **options):
        return super().run(functools.partial(timed, target), job, **options)


class MemoryDisplay(Display):
    """Records the memory of this process after each trial."""

    def __init__(self, objective):
        super().__init__(objective, 1)
        self.memory = []

    def trial_ended(self, ledger, trial):
        super().trial_ended(ledger, trial)
        self.memory.append(resident_mb())


def timed(target, job, connection):
    fit, spent = keras_vit.training.tuning.workers.trial.fit, []

    def timed_fit(*arguments, **options):
        start = time.process_time()
        result = fit(*arguments, **options)
        spent.append(time.process_time() - start)
        return result

    keras_vit.training.tuning.workers.trial.fit = timed_fit
    target(job, connection)
    times = {"all": time.process_time(), "fit": sum(spent)}
    (Path(job.run_dir) / TIMES).write_text(json.dumps(times), encoding="utf-8")


def resident_mb():
    """Returns the memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def search(trials, folder):
    """Runs a search of that many trials. Returns CPU times of trials without `fit`, and memory after each."""
    planned = plan(
        "vit_digits",
        ASSIGNMENTS,
        trials=trials,
        limits=Limits(max_latency_ratio=1000.0),  # measured, but stops nothing
        reference=find_recipe("vit_digits").RECIPE,
        measure=footprint,
    )
    folder = SearchFolder(folder)
    display = MemoryDisplay(planned.objective)
    processes = TimedProcesses(folder.log, planned.measure)
    workers = LocalWorkers(planned, folder, 1, threads=1, processes=processes)
    workers.measure_reference()
    oracle = build_oracle(planned.tuner, planned.space, planned.objective, trials=trials, seed=0)
    ledger = Ledger(oracle, Journal(folder.journal), [], seed=0)
    before = time.process_time()
    with display:
        TrialRunner(ledger, workers, display).run()
    main_share = (time.process_time() - before) / trials
    files = (folder.trial(trial) / TIMES for trial in ledger.records)
    spent = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return [times["all"] - times["fit"] + main_share for times in spent], display.memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=50)
    options = parser.parse_args()
    if options.trials < 3:
        parser.error("expected at least 3 trials: the first is a warm-up")
    with tempfile.TemporaryDirectory() as folder:
        seconds, memory = search(options.trials, folder)
    print(
        f"CPU time of a trial without its training: {statistics.median(seconds):.1f} s, median of "
        f"{len(seconds)}; largest {max(seconds):.1f} s"
    )
    growth = memory[-1] / memory[1] - 1
    print(
        f"memory of the main process: {memory[1]:.0f} MB after 2 trials, {memory[-1]:.0f} MB after "
        f"{len(memory)}: {100 * growth:+.1f} %"
    )


if __name__ == "__main__":
    main()
