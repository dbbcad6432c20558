"""Compares our models with the originals of timm and transformers and prints a table.

    python benchmarks/parity.py --peers PYTHON [--out docs/pretrained_parity.md]

PYTHON is one with torch, timm and transformers. Each original has random weights and is small; a minute or
two. The errors are relative to the largest value, in float32.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/contract")]

import parity_contract  # noqa: E402  found through the path above

HEADER = """# Pretrained models against their originals

Random weights, written by timm and transformers (torch, CPU, float32) and loaded here. Each error is the
largest difference over the largest value of the original; at most {tolerance:g} is allowed. Written by
`python benchmarks/parity.py`, with the originals of `benchmarks/workers/pretrained_originals.py`.

| original | logits | all blocks | gradient of the images |
| --- | --- | --- | --- |
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="a Python with torch, timm and transformers")
    parser.add_argument("--out", type=Path, help="where to write the table")
    arguments = parser.parse_args()
    program = ROOT / "benchmarks/workers/pretrained_originals.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([arguments.peers, program, folder], check=True, stderr=subprocess.DEVNULL)
        rows = {path.name: parity_contract.errors(path) for path in sorted(Path(folder).iterdir())}
    text = HEADER.format(tolerance=parity_contract.TOLERANCE)
    for name, errors in rows.items():
        text += "| " + " | ".join([name, *(f"{value:.1e}" for value in errors.values())]) + " |\n"
    print(text)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text)
    sys.exit(max(max(errors.values()) for errors in rows.values()) > parity_contract.TOLERANCE)


if __name__ == "__main__":
    main()
