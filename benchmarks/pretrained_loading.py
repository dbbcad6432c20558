"""Measures the time and memory that loading a ViT-B/16 of 346 MB takes, here and in timm.

    python benchmarks/pretrained_loading.py --peers PYTHON [--rounds 5] [--core 1]

Each round starts a new process for each, interleaved. The time excludes imports; the peak of memory is
reported with and without them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORE = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[2])})\n"
MEASURE = """
import json, resource, time
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak(); started = time.perf_counter(); cpu = time.process_time()
model = load()
print(json.dumps({"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu,
                  "peak_mb": peak(), "growth_mb": peak() - before}))
"""
TIMM = """
sys.path.insert(0, sys.argv[3])
from pretrained_originals import LIBRARY
import timm, torch
torch.set_num_threads(1)
load = lambda: timm.create_model("local-dir:" + sys.argv[1], pretrained=True)
"""
OURS = """
sys.path.insert(0, sys.argv[4])
import keras
from keras_vit import pretrained
keras.ops.ones((2, 2)) @ keras.ops.ones((2, 2))
load = lambda: pretrained.load(sys.argv[1])
"""
WRITE = """
import sys
sys.path.insert(0, sys.argv[2])
from pretrained_originals import LIBRARY
import timm
timm.models.save_for_hf(timm.create_model("vit_base_patch16_224"), sys.argv[1], safe_serialization=True)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="a Python with torch and timm")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=1)
    arguments = parser.parse_args()
    workers = str(ROOT / "benchmarks/workers")
    programs = {"timm": (arguments.peers, TIMM), "keras_vit": (sys.executable, OURS)}
    found = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([arguments.peers, "-c", WRITE, folder, workers], check=True, stderr=subprocess.DEVNULL)
        for _ in range(arguments.rounds):
            for name, (python, program) in programs.items():
                command = [python, "-c", CORE + program + MEASURE]
                command += [folder, str(arguments.core), workers, str(ROOT)]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment())
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
    medians = {name: _medians(rows) for name, rows in found.items()}
    print("| | " + " | ".join(medians["timm"]) + " |\n| --- |" + " --- |" * len(medians["timm"]))
    for name, row in medians.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row.values()) + " |")
    ratios = [medians["keras_vit"][key] / medians["timm"][key] for key in medians["timm"]]
    print("| ratio | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


def _medians(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def _environment():
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
