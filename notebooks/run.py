"""Runs notebooks from end to end and keeps their outputs.

    python notebooks/run.py                          # all, in place
    python notebooks/run.py first_steps.ipynb        # some

Each runs in a new folder, so that what it writes stays out of the checkout. An error ends the program with
the cell and its traceback, and leaves the notebook as it was.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")  # of a terminal
ERASED = re.compile(r"[^\n]*\n(?:\x1b\[\?25h|\r)*\x1b\[1A\r?\x1b\[2K")  # the last line of a progress bar
LOG = re.compile("(INFO|WARNING):tensorflow")


def main():
    named = [Path(name) for name in sys.argv[1:]]
    for path in named or sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(executed(path), path)
        print(f"ran {path.name}", flush=True)


def executed(path: Path) -> nbformat.NotebookNode:
    """Returns a notebook with the outputs of its cells, run in a new folder."""
    notebook = nbformat.read(path, as_version=4)
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "100"}
    environment["PATH"] = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # keras-vit is there
    )
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
        if cell.cell_type == "code":
            cell.outputs = [kept for kept in map(shown, merged(cell.outputs)) if kept]
    return notebook


def merged(outputs):
    """Returns outputs with those of one stream as one, and of lines that were written over the last form."""
    found = []
    for output in outputs:
        if (
            found
            and output.output_type == "stream" == found[-1].output_type
            and output.name == found[-1].name
        ):
            found[-1].text += output.text
        else:
            found.append(output)
    for output in found:
        if output.output_type == "stream":
            lines = ERASED.sub("", output.text).split("\n")
            output.text = "\n".join(CONTROL.sub("", line.rsplit("\x1b[2K", 1)[-1]) for line in lines)
    return found


def shown(output):
    """Returns an output as it is shown, or None where it is empty or a log line of TensorFlow."""
    if output.output_type == "stream" and (output.name == "stderr" or LOG.match(output.text)):
        return None
    if output.output_type == "display_data" and not any(str(data).strip() for data in output.data.values()):
        return None
    if "data" in output:
        output.data = {
            kind: data for kind, data in output.data.items() if kind in ("image/png", "text/plain")
        }
    return output


if __name__ == "__main__":
    main()
