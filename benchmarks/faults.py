"""Kills trainings at random points, resumes them until they are done, and compares their hashes.

    python benchmarks/faults.py --kills 200 --seed 0 --write docs/results/faults.md

Each run is `keras-vit train` with its state saved every few steps; its faults are drawn by the seed:
SIGKILL, SIGTERM, SIGINT, SIGSTOP with SIGCONT (not counted as a kill), SIGKILL inside a write (at an fsync,
a rename or the removal of an old state). After some of them the newest state file is truncated, or one of
its bits is flipped. At the end weights, optimizer variables, random state, callbacks' state, history (except
its seconds) and metrics must be those of an undisturbed run, bit for bit, and no undamaged state may have
been skipped for an older one.

Each training runs in its own process. With `--start spawn` that is a new interpreter; by default it is
forked from a process that has only imported the packages, which saves the time of the import.
"""

import argparse
import collections
import csv
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py

from keras_vit.training.checkpoint.state_file import read_state

TINY_VIT = (
    "vit_digits variant=Pico/4 num_layers=1 hidden_dim=16 num_heads=2 mlp_dim=32 stem=none optimizer=adamw "
    "epochs=3 subset=640 dropout_rate=0.1 drop_path_rate=0.2 ema_momentum=0.9 early_stopping_patience=2 "
    "mixup_alpha=0.4 cutmix_alpha=0.4 steps_per_execution=2"
)
TINY_GRU = "char_names_gru hidden_dim=24 embedding_dim=8 epochs=2 sample_every=none steps_per_execution=2"
TINY_CNN = "cnn_digits hidden_dim=16 epochs=3 subset=640 steps_per_execution=2"
CASES = {"ViT": TINY_VIT, "GRU": TINY_GRU, "CNN": TINY_CNN}
EVERY = "2"  # steps

AT_ITS_END = 1.0  # seconds that a finished process may need to exit

SIGNALS = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 143, "SIGINT": 130}
DAMAGES = ("truncated state", "flipped bit")
KINDS = (*SIGNALS, "SIGSTOP, SIGCONT", "SIGKILL in a write", *DAMAGES)


class Training:
    """A process that trains into a folder."""

    def __init__(self, command, run_dir, start, resume=False, die_at=None, log=None):
        arguments = ["train", *command.split(), "--run-dir", str(run_dir), "--checkpoint-every", EVERY]
        self.arguments = arguments + ["--resume"] * resume
        self.log = Path(log or f"{run_dir}.log")
        self.started = time.monotonic()
        self._status = None
        self.pid = self._fork(die_at) if start == "fork" else self._spawn()

    def wait(self, seconds=None):
        """Returns the exit code, negative for a signal, or None when it still runs after that time."""
        end = None if seconds is None else time.monotonic() + seconds
        while self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() >= end:
                return None
            else:
                time.sleep(0.002)
        return self._status

    def last_line(self):
        """Returns the end of its output: the folder is removed when this program ends."""
        return self.log.read_text(errors="replace")[-3000:]

    def _spawn(self):
        with open(self.log, "ab") as log:
            command = [sys.executable, "-m", "keras_vit", *self.arguments]
            return subprocess.Popen(command, stdout=log, stderr=log).pid

    def _fork(self, die_at):
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            with open(self.log, "ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            from keras_vit.__main__ import main

            if die_at is not None:
                die_in_a_write(die_at)
            code = main(self.arguments)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def die_in_a_write(number):
    """Makes this process kill itself at that call of fsync, replace or unlink, before or after it."""
    calls = 0

    def dying(function):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, dying(getattr(os, name)))


def digest(run_dir):
    """Hashes all files of a run without times: state, best model, history and metrics."""
    sha = hashlib.sha256()
    arrays, document = read_state(sorted((run_dir / "state").glob("*.state"))[-1])
    for array in arrays:
        sha.update(array.tobytes())
    document["callbacks"]["HistoryFile"] = None  # holds seconds; the file itself is compared below
    sha.update(json.dumps(document, sort_keys=True).encode())
    with zipfile.ZipFile(run_dir / "model.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content, "r") as weights:
        weights.visititems(lambda _, item: hash_dataset(sha, item))
    for row in csv.DictReader((run_dir / "history.csv").open()):
        row.pop("seconds")
        sha.update(json.dumps(row).encode())
    sha.update((run_dir / "metrics.json").read_bytes())
    return sha.hexdigest()


def hash_dataset(sha, item):
    if isinstance(item, h5py.Dataset):
        sha.update(item[()].tobytes())


def damage(run_dir, kind, draw):
    """Truncates the newest state file, or flips one of its bits; an older one must exist."""
    files = sorted((run_dir / "state").glob("*.state"))
    if len(files) < 2:
        return False
    content = bytearray(files[-1].read_bytes())
    if kind == "flipped bit":
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    else:
        content = content[: draw.randrange(len(content))]
    files[-1].write_bytes(content)
    return True


def strike(training, run_dir, kind, draw, span):
    """Waits a random time of a training and injects a fault. Returns whether it was still running."""
    if kind == "SIGKILL in a write":
        return training.wait(600) == -signal.SIGKILL
    if training.wait(draw.uniform(0, span)) is not None:
        return False
    if kind == "SIGSTOP, SIGCONT":
        os.kill(training.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(training.pid, signal.SIGCONT)
        return True
    name = kind if kind in SIGNALS else "SIGKILL"
    sent = time.monotonic()
    os.kill(training.pid, getattr(signal, name))
    code = training.wait(600)
    if code == 0 and time.monotonic() - sent < AT_ITS_END:
        return False
    if code not in (SIGNALS[name], getattr(signal, name) * -1):
        raise SystemExit(f"{run_dir}: {kind} ended with {code}\n{training.log_tail()}")
    if kind in DAMAGES:
        return damage(run_dir, kind, draw)
    return True


def disturbed(command, run_dir, start, draw, kinds, span, most):
    """Runs a training to its end, with at most that many faults. Returns the faults, and its last span."""
    struck, training = [], None
    while True:
        kind = draw.choice(kinds) if len(struck) < most else None
        if training is None or training.wait(0) is not None:
            resume = (run_dir / "recipe.json").exists()
            die_at = draw.randrange(1, 60) if kind == "SIGKILL in a write" else None
            training = Training(command, run_dir, start, resume, die_at)
        elif kind == "SIGKILL in a write":  # is set when the process starts
            continue
        if kind is not None and strike(training, run_dir, kind, draw, span):
            struck.append(kind)
        code = training.wait(0 if kind else 600)
        if code == 0:
            return struck, time.monotonic() - training.started
        if code is not None and code > 0 and code not in SIGNALS.values():
            raise SystemExit(f"{run_dir}: ended with {code}\n{training.log_tail()}")


def measure(case, command, start, kills, draw, folder):
    """Returns a Counter of faults, one of faults in runs that ended alike, and the number of runs."""
    reference = Training(command, folder / case, start)
    if reference.wait(900) != 0:
        raise SystemExit(f"{case}: the undisturbed run failed\n{reference.log_tail()}")
    span, expected = time.monotonic() - reference.started, digest(folder / case)
    kinds = [k for k in KINDS if start == "fork" or k != "SIGKILL in a write"]
    struck, alike, runs = collections.Counter(), collections.Counter(), 0
    while ended(struck) < kills:
        run_dir = folder / f"{case}-{runs}"
        most = min(8, kills - ended(struck))
        hits, last_span = disturbed(command, run_dir, start, draw, kinds, span, most)
        span = (span + last_span) / 2  # the machine may have become busier, or less busy
        runs += 1
        struck.update(hits)
        if digest(run_dir) == expected and refused(run_dir) <= sum(kind in DAMAGES for kind in hits):
            alike.update(hits)
            shutil.rmtree(run_dir)
        else:
            print(f"{case}: {run_dir} differs after {', '.join(hits)}", flush=True)
        print(f"{case}: {ended(struck)} kills, {runs} runs", flush=True)
    return struck, alike, runs


def refused(run_dir):
    """Counts the states that were set aside: no more than this program has damaged."""
    return len(list((run_dir / "state").glob("*.damaged")))


def ended(struck):
    """Counts the faults that ended a process: all except those after which it continues."""
    return struck.total() - struck["SIGSTOP, SIGCONT"]


def full_disk(command, start, folder, expected):
    """Trains on a disk that fills up, then with room again. Returns what was seen."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk], capture_output=True
    ).returncode:
        return "not tried: no right to mount a small disk here"
    try:
        training = Training(command, disk / "run", start, log=folder / "disk.log")
        code = training.wait(900)
        last_line = training.log.read_text().strip().splitlines()[-1].replace(str(disk), "DISK")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        resume = (disk / "run" / "recipe.json").exists()
        resumed = Training(command, disk / "run", start, resume, log=training.log)
        alike = resumed.wait(900) == 0 and digest(disk / "run") == expected
    finally:
        subprocess.run(["umount", disk], check=False)
    return f"exit {code}, `{last_line}`; resumed with more room: {'the same hash' if alike else 'DIFFERENT'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", choices=("fork", "spawn"), default="fork")
    parser.add_argument("--case", action="append", choices=CASES, help="may be repeated; default: all")
    parser.add_argument("--no-disk", action="store_true", help="leave out the full disk")
    parser.add_argument("--write", metavar="FILE", help="Markdown table")
    options = parser.parse_args()
    cases = options.case or list(CASES)
    if options.start == "fork":
        import_everything()
    rows, all_alike = [], True
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # for what processes that are killed cannot remove
        tempfile.tempdir = None
        for case in cases:
            draw = random.Random(f"{options.seed} {case}")
            kills = -(-options.kills // len(cases))
            struck, alike, runs = measure(case, CASES[case], options.start, kills, draw, Path(folder))
            rows += [[case, kind, struck[kind], alike[kind]] for kind in KINDS if struck[kind]]
            rows.append([case, f"all that ended the process, in {runs} runs", ended(struck), ended(alike)])
            all_alike &= struck == alike
        disk = "left out"
        if not options.no_disk:
            disk = full_disk(CASES[cases[0]], options.start, Path(folder), digest(Path(folder) / cases[0]))
    text = table(rows, disk, options)
    print(text)
    if options.write:
        Path(options.write).write_text(text, encoding="utf-8")
    return 0 if all_alike else 1


def import_everything():
    """Imports what a training imports, so that forked processes need not. Nothing is computed."""
    import tensorflow  # noqa: F401

    import keras_vit.training.report.write  # noqa: F401
    import keras_vit.training.run  # noqa: F401


def table(rows, disk, options):
    command = (
        f"python benchmarks/faults.py --kills {options.kills} --seed {options.seed} --start {options.start}"
    )
    lines = [
        "# Trainings that were interrupted and resumed",
        "",
        f"Written by `{command}`.",
        "A fault counts as equal when its run ended with the hash of an undisturbed run:",
        "weights, optimizer variables, random state, early stopping and the other",
        "callbacks' state, best model, history (except for its seconds) and test metrics.",
        "",
        "| model | fault | number | equal |",
        "| --- | --- | ---: | ---: |",
        *(f"| {case} | {kind} | {number} | {alike} |" for case, kind, number, alike in rows),
        "",
        f"Full disk: {disk}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
