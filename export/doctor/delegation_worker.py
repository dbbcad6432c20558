"""Opens a TFLite file and writes which operators XNNPACK leaves: `python delegation_worker.py FILE OUT.json`.

Their numbers, as JSON. In a process of its own, as a file that nobody has tried may crash the runtime.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))  # last: nothing is to stand in for an installed package
from keras_vit.export.benchmark.delegation import delegation  # noqa: E402
from keras_vit.export.tflite_graph import operators, read_graph  # noqa: E402


def main():
    file, out = sys.argv[1:]
    content = Path(file).read_bytes()
    found = operators(read_graph(content))
    _, outside = delegation(content, found)
    Path(out).write_text(json.dumps([found.index(operator) for operator in outside]))


if __name__ == "__main__":
    main()
