"""Measures by how many bytes running a TFLite file raises the process's peak memory.

The pages of the file that were read are included. Other systems than Linux do not report it.
"""

import re
from pathlib import Path

from keras_vit.export.tflite.interpreter import flush_xnnpack_banner, open_interpreter

RUNS = 3
SELF = Path("/proc/self")


def run(file, num_threads):
    """Returns bytes, or None where the system does not report them."""
    flush_xnnpack_banner()  # also loads what the first file loads, whichever it is
    before = _reset_peak()
    interpreter = open_interpreter(Path(file), num_threads)
    for _ in range(RUNS):
        interpreter.invoke()
    return None if before is None else _peak() - before


def _reset_peak():
    """Sets the peak to the current use and returns it; or None."""
    try:
        (SELF / "clear_refs").write_text("5")
        return _peak()
    except OSError:
        return None


def _peak():
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", (SELF / "status").read_text())[1])
