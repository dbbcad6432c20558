"""Compares `keras-vit predict` on many files with a loop by hand over the same exported file.

    python benchmarks/predict_files.py MODEL.tflite FOLDER [--rounds 5]

FOLDER has JPEG files. By hand means: Pillow opens each image, resizes it to the model's size, and LiteRT is
invoked for it. Both are processes of their own, timed as a whole, in interleaved rounds; medians.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BY_HAND = """
import csv, sys
from pathlib import Path
import numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
(taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()[:1]
_, height, width, _ = taken["shape"]
with open(sys.argv[3], "w", newline="") as file:
    writer = csv.writer(file)
    for path in sorted(Path(sys.argv[2]).rglob("*.jpg")):
        with Image.open(path) as image:
            pixels = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
        interpreter.set_tensor(taken["index"], np.asarray(pixels, taken["dtype"])[None])
        interpreter.invoke()
        writer.writerow([path, *interpreter.get_tensor(given["index"])[0]])
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder, "out.csv"))
        commands = {
            "keras-vit predict": [*predict(), str(options.model), str(options.folder), "--csv", out],
            "by hand": [sys.executable, "-c", BY_HAND, str(options.model), str(options.folder), out],
        }
        found = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                found[name].append(time.perf_counter() - began)
    for name, seconds in found.items():
        ratios = [each / by_hand for each, by_hand in zip(seconds, found["by hand"], strict=True)]
        print(f"{name:<18} {statistics.median(seconds):6.2f} s  {statistics.median(ratios):.2f} of by hand")


def predict():
    return [sys.executable, "-m", "keras_vit", "predict"]


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    main()
