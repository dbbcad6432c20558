"""Times one training step of the CIFAR Vision Transformer, ours and timm's interleaved, on one core.

    python benchmarks/training_step.py --peer-python PEERS/bin/python

`PEERS` is an environment with `pip install timm torch`. Each contender runs in its own process, pinned
to one core with one thread, that runs a step on request; rounds are interleaved. The report contains the
median CPU time of a step, its ratio to timm eager in float32, and the peak memory.
The model is d192, 9 layers, 3 heads, MLP 768, patch 4, 32 x 32 x 3, mean pooling, AdamW, batch 128.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from interleaved import parser, write_rows

WORKERS = Path(__file__).parent / "workers"
OURS = ("keras_vit float32", "keras_vit mixed_bfloat16")
PEERS = ("timm float32", "timm bfloat16")


def main():
    arguments = parser(__doc__, rounds=7)
    arguments.add_argument("--peer-python", help="Python of an environment with timm and torch")
    options = arguments.parse_args()

    contenders = {name: start(sys.executable, "keras_vit_step.py", name, options.core) for name in OURS}
    if options.peer_python:
        for name in PEERS:
            contenders[name] = start(options.peer_python, "timm_step.py", name, options.core)
    times = {name: [] for name in contenders}
    for round_number in range(options.rounds + 1):
        for name, process in contenders.items():
            seconds = ask(process, "step")["cpu_seconds"]
            if round_number:  # the first round warms up
                times[name].append(seconds)
    memory = {name: ask(process, "memory")["peak_gigabytes"] for name, process in contenders.items()}
    for process in contenders.values():
        process.stdin.close()
        process.wait()
    write_rows(options.json, report(times, memory))


def start(python, worker, name, core):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [python, str(WORKERS / worker), name.split()[1], str(core)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )


def ask(process, request):
    process.stdin.write(request + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(process.args)} ended without an answer. Run it alone to see the error.")
    return json.loads(line)


def report(times, memory):
    base = statistics.median(times.get("timm float32") or times[OURS[0]])
    rows = {}
    for name, seconds in times.items():
        median = statistics.median(seconds)
        ratios = sorted(b / s for b, s in zip(times.get("timm float32", seconds), seconds, strict=True))
        rows[name] = {
            "median_seconds": round(median, 3),
            "speed": round(base / median, 2),
            "speed_range": [round(ratios[0], 2), round(ratios[-1], 2)],
            "peak_gigabytes": memory[name],
        }
        print(
            f"{name:26} {median:7.3f} s   {base / median:5.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f})   "
            f"{memory[name]:.2f} GB"
        )
    return rows


if __name__ == "__main__":
    main()
