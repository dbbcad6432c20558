"""Compares our models with the originals of timm and transformers and prints a table.

    python benchmarks/parity.py --peers PYTHON --photos FOLDER [--out docs/results/pretrained_parity.md]

PYTHON is a Python with torch, timm and transformers, FOLDER contains photographs. The originals are small and
have random weights; it takes a minute or two. Errors are relative to the largest value, in float32.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/contract")]

import numpy as np  # noqa: E402
import parity_contract  # noqa: E402  found through the path above

from keras_vit.io.image_formats import IMAGE_SUFFIXES  # noqa: E402
from keras_vit.io.images import read_image  # noqa: E402

HEADER = """# Pretrained models against their originals

Random weights, written by timm and transformers (torch, CPU, float32) and loaded here. Each error is the
largest difference divided by the largest value of the original; the limit is {tolerance:g}. Written by
`python benchmarks/parity.py`, with the originals of `benchmarks/workers/pretrained_originals.py`.

The last column is for the logits of {photos} photographs, decoded once and then preprocessed by each
library's own pipeline and by ours; the limit is the same, and the first five classes have to be the same in
the same order. Google's files have no pipeline, and photographs are not grey.

| original | logits | all blocks | gradient of the images | photographs |
| --- | --- | --- | --- | --- |
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="a Python with torch, timm and transformers")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photographs")
    parser.add_argument("--out", type=Path, help="also write the table there")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.photos.iterdir() if path.suffix in IMAGE_SUFFIXES)
    photos = [read_image(path) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(arguments.peers, photos, Path(folder))
    text = HEADER.format(tolerance=parity_contract.TOLERANCE, photos=len(photos))
    text += "".join(f"| {' | '.join([name, *cells(row)])} |\n" for name, row in rows.items())
    print(text)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text)
    sys.exit(not all(map(holds, rows.values())))


def compare(peers, photos, folder):
    """Returns `{name: (errors, error of photographs or None)}` of all originals."""
    program = ROOT / "benchmarks/workers/pretrained_originals.py"
    np.savez(folder / "photos.npz", *photos)
    command = [peers, program, folder / "originals", "--photos", folder / "photos.npz"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    originals = sorted((folder / "originals").iterdir())
    return {
        path.name: (parity_contract.errors(path), parity_contract.photograph_error(path, photos))
        for path in originals
    }


def cells(row):
    errors, photographs = row
    shown = [f"{value:.1e}" for value in errors.values()]
    if photographs is None:
        return [*shown, "-"]
    return [*shown, f"{photographs[0]:.1e}" + ("" if photographs[1] else ", another order")]


def holds(row):
    errors, photographs = row
    equal = photographs is None or photographs[0] <= parity_contract.TOLERANCE and photographs[1]
    return max(errors.values()) <= parity_contract.TOLERANCE and equal


if __name__ == "__main__":
    main()
