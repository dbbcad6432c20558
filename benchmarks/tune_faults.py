"""Kills searches at random points, starts them again until they are done, and compares what they found.

    python benchmarks/tune_faults.py --kills 5 --seed 0

Struck by SIGKILL are the search itself, one by Hyperband with its promotions, the process of a trial, the
chief of a search on several machines, and one of its two workers (all on this machine). At the end the
trials, their values and their scores must be those of a search that nothing struck. A trial is struck at
most twice where it stands: killed three times in a row it has failed, as one that runs out of memory.
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
KINDS = ("search", "hyperband", "trial", "chief", "worker")
MOST = 4  # kills of one search
LONGEST = 1800  # seconds of one search
STILL = 300  # seconds in which something must happen


class Part:
    """A command that is started again when it was killed: a search, a chief or a worker."""

    def __init__(self, run_dir, *arguments):
        self.run_dir = run_dir
        self.log = Path(f"{run_dir}.log")
        self.command = [sys.executable, "-m", "keras_vit", "tune", *arguments, "--run-dir", str(run_dir)]
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def strike(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def has_ended(self):
        """Returns whether it ended by itself, as it should."""
        code = self.process.poll()
        if code:
            raise SystemExit(f"{self.run_dir} ended with {code}, see {self.log}")
        return code == 0

    def start_again_without_chief(self):
        """Starts a worker again that came while its chief was dead, as people would."""
        if self.process.poll() and "No chief of a search answers" in self.log.read_text()[-400:]:
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


class Strikes:
    """Strikes one kind of process of a search, now and then, until it has had enough."""

    def __init__(self, kind, most, span, draw):
        self.kind = kind
        self.left = most
        self.span = span
        self.draw = draw
        self.done = 0
        self._places = collections.Counter()
        self._plan()

    def look(self, parts, journal):
        """Strikes when it is time, unless a trial was struck often enough where it stands."""
        if not self.left or time.monotonic() < self.next or not self._strike(parts, journal):
            return
        self.left -= 1
        self.done += 1
        self._plan()

    def _plan(self):
        self.next = time.monotonic() + self.draw.uniform(0, self.span)

    def _strike(self, parts, journal):
        part = self.draw.choice(parts[1:]) if self.kind == "worker" else parts[0]
        if part.has_ended():
            return False
        if self.kind in ("search", "hyperband", "chief"):
            part.strike()
            return True
        found = part.trial()
        if found is None:
            return self.kind == "worker" and part.strike() is None
        pid, trial = found
        place = (trial, sum(event.get("trial") == trial for event in events_of(journal)))
        if self._places[place] == 2:
            return False
        self._places[place] += 1
        if self.kind == "worker":
            part.strike()
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


def begin(kind, tuner, folder, trials):
    """Starts the processes of a search; the first of them has the journal."""
    search = [*SEARCH.split(), "--tuner", tuner, "--trials", str(trials), "--seeds", "0"]
    if kind not in ("chief", "worker"):
        return [Part(folder / "search", *search)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    chief = Part(folder / "search", *search, "--chief", address)
    end = time.monotonic() + STILL
    while "workers join" not in chief.log.read_text():
        if chief.has_ended() or time.monotonic() > end:
            raise SystemExit(f"the chief does not serve, see {chief.log}")
        time.sleep(0.2)
    return [chief, *(Part(folder / f"worker{n}", *search, "--join", address) for n in (1, 2))]


def finish(parts, look):
    """Waits until all processes have ended, and looks at them meanwhile."""
    end = time.monotonic() + LONGEST
    try:
        while not (parts[0].has_ended() and all(worker.process.poll() is not None for worker in parts[1:])):
            if time.monotonic() > end:
                raise SystemExit(f"{parts[0].run_dir} did not end in {LONGEST} s, see {parts[0].log}")
            if not parts[0].has_ended():
                for worker in parts[1:]:
                    worker.start_again_without_chief()
                look(parts, SearchFolder(parts[0].run_dir).journal)
            time.sleep(0.05)
    finally:
        for part in parts:
            part.process.kill()


def found(run_dir):
    """Returns of each trial its values, seed, figures and end: all but times."""
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
    """Runs a search that nothing strikes. Returns its seconds and what it found."""
    place = folder / f"undisturbed_{tuner}"
    place.mkdir()
    begun = time.monotonic()
    finish(begin("search", tuner, place, trials), lambda *_: None)
    span, expected = time.monotonic() - begun, found(place / "search")
    print(f"{tuner}, undisturbed: {len(expected)} trials in {span:.0f} s", flush=True)
    return span, expected


def measure(kind, kills, trials, span, expected, draw, folder):
    """Strikes searches until there were that many kills.

    Returns:
        `(kills, kills in searches that ended alike, searches)`.
    """
    struck, alike, runs = 0, 0, 0
    while struck < kills:
        strikes = Strikes(kind, min(MOST, kills - struck), span, draw)
        place = folder / f"{kind}{runs}"
        place.mkdir()
        begun = time.monotonic()
        finish(begin(kind, tuner_of(kind), place, trials), strikes.look)
        span = (span + time.monotonic() - begun) / 2  # the machine may have become busier, or less busy
        is_alike = found(place / "search") == expected
        struck, alike, runs = struck + strikes.done, alike + strikes.done * is_alike, runs + 1
        print(f"{kind}: {struck} kills in {runs} searches, {alike} in such that ended alike", flush=True)
        if runs > 2 * kills:
            raise SystemExit(f"{kind}: {runs} searches ended before they were struck")
    return struck, alike, runs


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
            draw = random.Random(f"{options.seed} {kind}")
            rows[kind] = measure(kind, options.kills, options.trials, *known[tuner], draw, folder)
    text = table(rows, options)
    print(text)
    if options.write:
        write_text(options.write, text)
    return 0 if all(struck == alike for struck, alike, _ in rows.values()) else 1


def table(rows, options):
    lines = [
        "# Searches that were killed and started again",
        "",
        f"Written by `python benchmarks/tune_faults.py --kills {options.kills} --seed {options.seed} "
        f"--trials {options.trials}{''.join(f' --kind {kind}' for kind in options.kind or ())}`.",
        "A kill counts as alike when the search that it struck ended with the trials, values, seeds, metrics",
        "of all epochs and ends of a search that nothing struck.",
        "",
        "| struck | kills | alike | searches |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {kind} | {struck} | {alike} | {runs} |" for kind, (struck, alike, runs) in rows.items()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
