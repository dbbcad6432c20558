"""Passes several hundred bad files to the readers, and counts the outcomes.

    python benchmarks/hostile_files.py [--kind image] [--write docs/results/hostile_files.md]

A bad file must cause one clear error: an InputError or a ConditionError of one line; no code in it may run,
and memory stays bounded. A success is allowed only where a rule of the case allows it (the content is intact,
or the format cannot detect damage). Everything else counts as "other", and makes this program exit with 1.
Files are read in separate processes, whose crashes are counted.
The last row is the command line itself, on a sample: exit code 2, one line, no traceback.
"""

import argparse
import collections
import concurrent.futures
import importlib
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

from hostile_case import Place  # noqa: E402
from hostile_inputs import FILES, all_cases, read_good, write_good  # noqa: E402
from hostile_readers import ALLOWED, CLEAN, OTHER, Verdict, judge  # noqa: E402
from hostile_readers import MEMORY as READER_MEMORY  # noqa: E402

SECONDS = 300  # for one bad file, on a machine that is busy with other work
MEMORY = 12 * 1024**3  # bytes of a process that reads them, so that a failure does not affect the machine
COMMAND_SAMPLE = 24  # a command reads every 24th of the files that it accepts
COMMANDS = {
    "image": lambda path, good: ["predict", good / "m.keras", path],
    "keras": lambda path, good: ["predict", path, good / "x.png"],
    "tflite": lambda path, good: ["predict", path, good / "x.png"],
    "npz": lambda path, good: ["train", "vit_digits", f"data=npz:{path}", "--run-dir", good / "run"],
    "recipe": lambda path, good: ["export", path.parent],
}

ABOUT = {
    "image": "JPEG, PNG, WebP, BMP, GIF: cut, flipped, zeroed, of huge declared sizes, bombs, other formats, "
    "devices, pipes, links",
    "folder": "class folders with broken, empty and endless images, odd names, classes without images",
    "npz": "cut, flipped, code and pickles in headers, huge and negative shapes, bombs, paths that lead "
    "outside, NaN, labels out of range",
    "safetensors": "cut, flipped, wrong lengths, offsets and shapes",
    "keras archive": "`.keras`: cut, flipped, bombs, members that lead outside, repeat or are missing",
    "keras configuration": "its `config.json`: not JSON, deep, flipped, fields of other types",
    "keras weights": "its `model.weights.h5`: cut, flipped, NaN, links, external and virtual data, bombs",
    "keras code": "Lambda, functions and classes of other modules, pickled torch modules, type specs",
    "keras sizes": "10^12 units, 10^9 blocks, 100,000 layers, images of 10^12 pixels",
    "recipe.json": "not JSON, deep, 500,000 fields, values of other types and out of range, flipped",
    "export.json": "not JSON, rows of other types, other sizes and checksums",
    "labels.txt": "too few, too many, duplicates, control characters, other encodings, 500,000 lines",
    "tflite": "cut, flipped, wrong offsets and lengths",
    "tflite, recorded": "cut and flipped next to the record of the complete file",
    "SavedModel": "graph, index and variables cut and flipped; operators that read and write files or run "
    "Python; tables filled while loading; endless loops",
    "config.json": "of Hugging Face and timm, with `preprocessor_config.json`: not JSON, values of other "
    "types and out of range",
    "torch pickle": "`.pth`, `.bin`, `.pt`: calls of any function, tensors that point elsewhere, huge "
    "numbers, bombs, nesting",
    "google npz": "cut, flipped, tensors missing, of other types and shapes, not finite, bombs",
    "other weights": "`.weights.h5`, ONNX and others, indices that name files in other folders",
    "state": "states of a training with right and wrong checksums: cut, flipped, wrong arrays and fields",
    "journal": "journals of a search with right and wrong checksums: cut, flipped, unknown events",
    "history.csv": "not text, not a table, not numbers",
    "vocabulary.json": "not JSON, characters that repeat or are invalid",
    "preprocessing.json": "not JSON, sizes, ratios and names out of range",
    "text": "other encodings, empty, endless",
    "tfds folder": "prepared sets: records cut, flipped, missing; wrong counts and splits",
    "command line": "a sample of the above, passed to the command",
}
DOCUMENT = f"""# Untrusted files

Each reader was given files that are damaged, hostile or of another kind. A *clean error* is one line that
names the file, with exit code 2. A file is *correctly read* if its content is complete, or if the format
cannot show the damage (other pixels after a JPEG header are an image). *Other* would be a traceback, a crash,
code that ran, a reader that needs more than {READER_MEMORY:,} MB of additional memory
or more than {SECONDS} s, or a file that is accepted as something else.

{{table}}
Written by `python benchmarks/hostile_files.py --write docs/results/hostile_files.md` with
{{versions}}. The files are made by `tests/hostile`, identically in every
run; `pytest tests/hostile` reads a sample of them.

Code that is code by design runs: a recipe that is a `.py` file, and `keras-vit doctor module:function`.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--kind", action="append", help="only rows of the table that start with this; may be repeated"
    )
    parser.add_argument("--write", type=Path, help="also write the table there, in Markdown")
    parser.add_argument("--json", type=Path, help="also write every verdict there")
    parser.add_argument("--verbose", action="store_true", help="print every verdict")
    options = parser.parse_args()
    cases = [case for case in all_cases() if case.kind.startswith(tuple(options.kind or ("",)))]
    with tempfile.TemporaryDirectory() as folder:
        write_good(Path(folder))
        verdicts = judge_cases(cases, folder, options.verbose)
        if not options.kind:
            verdicts["command line"] = judge_commands(Path(folder), options.verbose)
    print(table(verdicts))
    if options.write:
        text = DOCUMENT.format(table=table(verdicts), versions=", ".join(versions()))
        options.write.write_text(text, encoding="utf-8")
    if options.json:
        options.json.write_text(
            json.dumps({k: [list(v) for v in rows] for k, rows in verdicts.items()}, indent=1)
        )
    return int(any(outcome == OTHER for rows in verdicts.values() for _, outcome, _ in rows))


def judge_cases(cases, folder, verbose):
    """Returns a dict from kind to a list of (name, outcome, detail)."""
    rows, pool = collections.defaultdict(list), None
    for case in cases:
        pool = pool or start(folder)
        try:
            verdict = pool.submit(judge_one, case.name).result(timeout=SECONDS)
        except concurrent.futures.process.BrokenProcessPool:
            verdict, pool = Verdict(OTHER, "the process crashed"), None
        except concurrent.futures.TimeoutError:
            for process in pool._processes.values():
                process.kill()
            verdict, pool = Verdict(OTHER, f"took more than {SECONDS} s"), None
        rows[case.kind].append((case.name, verdict.outcome, verdict.detail))
        if verbose or verdict.outcome == OTHER:
            print(f"{verdict.outcome:16} {case.name}: {verdict.detail}", flush=True)
    if pool:
        pool.shutdown()
    return rows


def start(folder):
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(1, context, initializer=prepare, initargs=(folder,))


def prepare(folder):
    """Prepares a worker: the cases, the good files and their results."""
    global cases, good, references
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    cases = {case.name: case for case in all_cases()}
    good, references = read_good(Path(folder))


def judge_one(name):
    return judge(cases[name], good, references)


def judge_commands(folder, verbose):
    """Passes a sample to the real command, each file in its own process."""
    rows, counts = [], collections.Counter()
    good = {name: (folder / file).read_bytes() for name, file in FILES.items()}
    for case in all_cases():
        counts[case.reader] += 1
        if case.reader not in COMMANDS or counts[case.reader] % COMMAND_SAMPLE:
            continue
        with tempfile.TemporaryDirectory() as place:
            path = case.write(Place(Path(place), good))
            (path.parent / "model.keras").write_bytes(good["keras"])  # a recipe is read next to a model
            rows.append((case.name, *run(COMMANDS[case.reader](path, folder), case)))
        if verbose or rows[-1][1] == OTHER:
            print(f"{rows[-1][1]:16} command, {case.name}: {rows[-1][2]}", flush=True)
    return rows


def run(arguments, case):
    command = [sys.executable, "-m", "keras_vit", *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, env=environment
        )
    except subprocess.TimeoutExpired:
        return OTHER, f"took more than {SECONDS} s"
    lines = [line for line in done.stderr.splitlines() if "Created TensorFlow Lite" not in line]
    if done.returncode == 2 and len(lines) == 1:
        return CLEAN, lines[0]
    if done.returncode == 0 and not lines:
        return ALLOWED, "read"
    return OTHER, f"exit code {done.returncode}, {len(lines)} lines: {' | '.join(lines[-3:])[:400]}"


def versions():
    modules = map(importlib.import_module, ("tensorflow", "keras", "numpy", "PIL", "h5py"))
    return [f"{module.__name__} {module.__version__}" for module in modules]


def table(verdicts):
    """Returns the table in Markdown, with what was tried of each kind."""
    rows, total = [], collections.Counter()
    for kind, judged in verdicts.items():
        count = collections.Counter(outcome for _, outcome, _ in judged)
        total += count
        rows.append(line(kind, count, ABOUT[kind]))
    head = "| kind | tried | clean error | correctly read | other | what was tried |"
    rule = "| --- |" + 4 * " ---: |" + " --- |"
    return "\n".join([head, rule, *rows, line("all", total, "")]) + "\n"


def line(kind, count, about):
    figures = (count.total(), count[CLEAN], count[ALLOWED], count[OTHER])
    return f"| {kind} | {' | '.join(f'{figure:,}' for figure in figures)} | {about} |"


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
