"""Draws the README's picture from the rows of docs/results/index.md on the time of one image.

python benchmarks/latency_picture.py docs/results/latency.png
"""

import re
import sys
from pathlib import Path

from keras_vit.training.report.style import BLUE, ORANGE, drawing, figure, save_atomically

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "index.md"
ROWS = {  # what a bar is called: the beginning of its row, whose first number is ViT-Ti/16's
    "KerasHub int8": "the same, KerasHub's own int8 file",
    "ours fp32": "one image, ViT-Ti/16 at 224 and a CIFAR ViT",
    "ours dynamic_int8": "the same, dynamic_int8, and its size",
    "ours mixed_int8": "the same, mixed_int8, and its size",
}


def main():
    ratios = {"KerasHub fp32": 1.0, **{name: ratio(row) for name, row in ROWS.items()}}
    with drawing():
        canvas = figure(2.2, 6.5)
        axes = canvas.subplots()
        colors = [ORANGE if name.startswith("KerasHub") else BLUE for name in ratios]
        bars = axes.barh(list(ratios), list(ratios.values()), color=colors)
        axes.bar_label(bars, fmt="%.2f", padding=3)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.1)
        axes.set_xlabel("time of one image, ViT-Ti/16 at 224 pixels, one core with AVX-512")
        save_atomically(canvas, Path(sys.argv[1]))


def ratio(row):
    """Returns the first number in the second column of a row of the results."""
    (line,) = (
        line for line in RESULTS.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {row}")
    )
    return float(re.search(r"\d\.\d+", line.split("|")[2])[0])


if __name__ == "__main__":
    main()
