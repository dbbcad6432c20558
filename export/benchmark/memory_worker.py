"""Runs a TFLite file and writes what that added to the process's memory at its peak, in bytes, as JSON.

    python memory_worker.py FILE.tflite THREADS OUT.json

The pages of the file that were read are part of it. Where the system does not tell (other than Linux) it is
null.
"""

import json
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))  # last: nothing is to stand in for an installed package
from keras_vit.export.delegate_notice import let_delegate_tell  # noqa: E402
from keras_vit.export.interpreter import open_interpreter  # noqa: E402

RUNS = 3
SELF = Path("/proc/self")


def main():
    file, num_threads, out = sys.argv[1:]
    let_delegate_tell()  # and loads what the first file loads, whichever it is
    before = forget_peak()
    interpreter = open_interpreter(Path(file), int(num_threads))
    for _ in range(RUNS):
        interpreter.invoke()
    Path(out).write_text(json.dumps(None if before is None else peak() - before))


def forget_peak():
    """Lets the peak be what is used now, and returns that; or None."""
    try:
        (SELF / "clear_refs").write_text("5")
        return peak()
    except OSError:
        return None


def peak():
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", (SELF / "status").read_text())[1])


if __name__ == "__main__":
    main()
