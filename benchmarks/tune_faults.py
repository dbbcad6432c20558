"""Kills searches at random points, restarts them until they are done, and compares their results.

    python benchmarks/tune_faults.py --kills 5 --seed 0

Killed by SIGKILL are the search itself, one by Hyperband with its promotions, the process of a trial, the
coordinator of a search on several machines, and one of its two workers (all on this machine). At the end the
trials, their values and their scores must be those of an undisturbed search. A trial is killed at most twice
at the same place: after three kills in a row it has failed, as one that runs out of memory.
"""

import argparse
import collections
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from keras_vit.io.files import write_text
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.journal import Journal

SEARCH = (
    "vit_digits patch_size=4 hidden_dim=16,32 num_layers=1 num_heads=2 mlp_dim=32 pooling=gap stem=linear "
    "epochs=3 batch_size=64 subset=640 randaugment_layers=0"
)
KINDS = ("search", "hyperband", "trial", "coordinator", "worker")
MOST = 4  # kills of one search
LONGEST = 1800  # seconds of one search
START = 300  # seconds until a coordinator must serve


class Part:
    """A command that is restarted after a kill: a search, a coordinator or a worker."""

    def __init__(self, run_dir, *arguments):
        self.run_dir = run_dir
        self.log = Path(f"{run_dir}.log")
        self.command = [sys.executable, "-m", "keras_vit", "tune", *arguments, "--run-dir", str(run_dir)]
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def has_ended(self):
        """Returns whether it ended by itself, as expected."""
        code = self.process.poll()
        if code:
            raise SystemExit(f"{self.run_dir} ended with {code}, see {self.log}")
        return code == 0

    def restart_without_coordinator(self):
        """Restarts a worker that started while its coordinator was dead, as a user would."""
        if self.process.poll() and "No coordinator of a search answers" in self.log.read_text()[-400:]:
            self.start()
        self.has_ended()

    def trial(self):
        """Returns the process id of a trial that it runs and the trial, or None."""
        for pid in descendants(self.process.pid):
            try:
                log = Path(os.readlink(f"/proc/{pid}/fd/1"))
            except OSError:
                continue
            if log.name == "trial.log" and log.parent.parent.name == "trials":
                return pid, log.parent.name
        return None


class Kills:
    """Kills one kind of process of a search at random times, up to a number of kills."""

    def __init__(self, kind, most, span, generator):
        self.kind = kind
        self.left = most
        self.span = span
        self.generator = generator
        self.done = 0
        self._places = collections.Counter()
        self._plan()

    def check(self, parts, journal):
        """Kills a process when it is time, unless its trial was killed often enough at this point."""
        if not self.left or time.monotonic() < self.next or not self._kill(parts, journal):
            return
        self.left -= 1
        self.done += 1
        self._plan()

    def _plan(self):
        self.next = time.monotonic() + self.generator.uniform(0, self.span)

    def _kill(self, parts, journal):
        part = self.generator.choice(parts[1:]) if self.kind == "worker" else parts[0]
        if part.has_ended():
            return False
        if self.kind in ("search", "hyperband", "coordinator"):
            part.kill()
            return True
        found = part.trial()
        if found is None:
            return self.kind == "worker" and part.kill() is None
        pid, trial = found
        place = (trial, sum(event.get("trial") == trial for event in events_of(journal)))
        if self._places[place] == 2:
            return False
        self._places[place] += 1
        if self.kind == "worker":
            part.kill()
        else:
            os.kill(pid, signal.SIGKILL)
        return True


def descendants(pid):
    """Returns the ids of all processes that descend from one."""
    children = collections.defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children[int(fields[1])].append(int(stat.parent.name))
    found = list(children[pid])
    for child in found:
        found.extend(children[child])
    return found


def events_of(journal):
    """Reads a journal that is being written."""
    lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
    return [json.loads(line[9:]) for line in lines]


def tuner_of(kind):
    return "hyperband" if kind == "hyperband" else "random"


def start_search(kind, tuner, folder, trials):
    """Starts the processes of a search; the first of them has the journal."""
    search = [*SEARCH.split(), "--tuner", tuner, "--trials", str(trials), "--seeds", "0"]
    if kind not in ("coordinator", "worker"):
        return [Part(folder / "search", *search)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    coordinator = Part(folder / "search", *search, "--coordinator", address)
    end = time.monotonic() + START
    while "workers join" not in coordinator.log.read_text():
        if coordinator.has_ended() or time.monotonic() > end:
            raise SystemExit(f"the coordinator does not serve, see {coordinator.log}")
        time.sleep(0.2)
    return [coordinator, *(Part(folder / f"worker{n}", *search, "--join", address) for n in (1, 2))]


def finish(parts, check):
    """Waits until all processes have ended, and calls `check` meanwhile."""
    end = time.monotonic() + LONGEST
    try:
        while not (parts[0].has_ended() and all(worker.process.poll() is not None for worker in parts[1:])):
            if time.monotonic() > end:
                raise SystemExit(f"{parts[0].run_dir} did not end in {LONGEST} s, see {parts[0].log}")
            if not parts[0].has_ended():
                for worker in parts[1:]:
                    worker.restart_without_coordinator()
                check(parts, SearchFolder(parts[0].run_dir).journal)
            time.sleep(0.05)
    finally:
        for part in parts:
            part.process.kill()


def results_of(run_dir):
    """Returns the values, seed, metrics and end of each trial, without times."""
    trials = collections.defaultdict(dict)
    for event in Journal(SearchFolder(run_dir).journal).read()[1:]:
        trial = trials[event["trial"]]
        if event["event"] == "created":
            trial.update(values=event["values"], seed=event["seed"], epochs={})
        elif event["event"] == "epoch":
            trial["epochs"][event["epoch"]] = event["metrics"]
        elif event["event"] == "ended":
            trial.update(status=event["status"], reason=event["reason"])
    return dict(trials)


def undisturbed(tuner, trials, folder):
    """Runs a search without kills. Returns its seconds and its results."""
    place = folder / f"undisturbed_{tuner}"
    place.mkdir()
    start = time.monotonic()
    finish(start_search("search", tuner, place, trials), lambda *_: None)
    span, expected = time.monotonic() - start, results_of(place / "search")
    print(f"{tuner}, undisturbed: {len(expected)} trials in {span:.0f} s", flush=True)
    return span, expected


def measure(kind, kills, trials, span, expected, generator, folder):
    """Kills processes of searches until the number of kills is reached.

    Returns:
        `(kills, kills in searches with equal results, searches)`.
    """
    done, equal, runs = 0, 0, 0
    while done < kills:
        kills_here = Kills(kind, min(MOST, kills - done), span, generator)
        place = folder / f"{kind}{runs}"
        place.mkdir()
        start = time.monotonic()
        finish(start_search(kind, tuner_of(kind), place, trials), kills_here.check)
        span = (span + time.monotonic() - start) / 2  # the load of the machine may have changed
        is_equal = results_of(place / "search") == expected
        done, equal, runs = done + kills_here.done, equal + kills_here.done * is_equal, runs + 1
        print(f"{kind}: {done} kills in {runs} searches, {equal} in searches with equal results", flush=True)
        if runs > 2 * kills:
            raise SystemExit(f"{kind}: {runs} searches ended before a process was killed")
    return done, equal, runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="of each kind of process (default: 5)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="may be repeated; default: all")
    parser.add_argument("--trials", type=int, default=4, help="of each search (default: 4)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to keep the searches (default: nowhere)")
    parser.add_argument("--write", metavar="FILE", help="Markdown table")
    options = parser.parse_args()
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"  # sums depend on the number of threads
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows, known = {}, {}
        for kind in options.kind or KINDS:
            tuner = tuner_of(kind)
            if tuner not in known:
                known[tuner] = undisturbed(tuner, options.trials, folder)
            generator = random.Random(f"{options.seed} {kind}")
            rows[kind] = measure(kind, options.kills, options.trials, *known[tuner], generator, folder)
    text = table(rows, options)
    print(text)
    if options.write:
        write_text(options.write, text)
    return 0 if all(done == equal for done, equal, _ in rows.values()) else 1


def table(rows, options):
    lines = [
        "# Searches that were killed and started again",
        "",
        f"Written by `python benchmarks/tune_faults.py --kills {options.kills} --seed {options.seed} "
        f"--trials {options.trials}{''.join(f' --kind {kind}' for kind in options.kind or ())}`.",
        "A kill counts as equal when its search ended with the trials, values, seeds, metrics of all epochs",
        "and ends of a search without kills. The last column is the number of searches run for it.",
        "",
        "| killed | kills | equal | searches |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {kind} | {done} | {equal} | {runs} |" for kind, (done, equal, runs) in rows.items()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
