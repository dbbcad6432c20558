"""Reads and runs the fenced blocks of the pages of documentation."""

import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<kind>not run|needs): (?P<reason>.+?) -->\n *)?"
    r"```(?P<language>python|bash)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"# (?P<name>\w+\.py)\n")  # the first line of a block that commands read as a file


class Block(NamedTuple):
    """One fenced block. With a `reason` it is not run; `needs` is a package that it takes."""

    language: str
    code: str
    reason: str | None
    needs: str | None


def blocks(page: Path) -> list[Block]:
    """Returns the Python and bash blocks of a page, in their order."""
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        marks = {"not run": None, "needs": None, match["kind"]: match["reason"]}
        code = textwrap.dedent(match["code"])
        found.append(Block(match["language"], code, marks["not run"], marks["needs"]))
    return found


def run(block: Block, scope: dict, smaller: dict[str, str]):
    """Runs a block in the current folder; `smaller` are additions to commands that begin with a text."""
    python = block.needs and python_with(block.needs)
    if block.reason or (block.needs and python is None):
        return
    if block.needs:  # in a process of its own: torch and TensorFlow are not always loaded together
        done = subprocess.run([python, "-c", block.code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    elif block.language == "python":
        if file := _FILE.match(block.code):
            Path(file["name"]).write_text(block.code, encoding="utf-8")
        exec(compile(block.code, "page", "exec"), scope)
    else:
        for line in block.code.splitlines():
            if not line.startswith("#"):
                run_command(line, smaller)


def python_with(package: str) -> str | None:
    """Returns the Python that has a package: this one, or one that is named for it; None if there is none."""
    if package == "mediapipe" and "KERAS_VIT_MOBILE_PYTHON" in os.environ:
        return os.environ["KERAS_VIT_MOBILE_PYTHON"]
    return sys.executable if importlib.util.find_spec(package) else None


def run_command(line, smaller):
    from keras_vit.__main__ import main

    words = shlex.split(line, comments=True)
    if words[0] == "python":
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return
    assert words[0] == "keras-vit", f"only keras-vit and examples are run: {line}"
    added = next((more for start, more in smaller.items() if line.startswith(f"keras-vit {start}")), "")
    try:
        code = main([*words[1:], *added.split()])
    except SystemExit as error:
        code = error.code
    assert code == 0, line


def write_photographs(folder: Path):
    """Writes class folders of real photographs: parts of the two that come with scikit-learn."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    for name, photo in zip(("temple", "flower"), load_sample_images().images, strict=True):
        (folder / name).mkdir(parents=True)
        for number, top in enumerate(range(0, photo.shape[0] - 63, 64)):
            for left in range(0, photo.shape[1] - 63, 64):
                part = Image.fromarray(photo[top : top + 64, left : left + 64])
                part.save(folder / name / f"{number}_{left}.jpg")


@contextlib.contextmanager
def workspace(folder: Path):
    """Runs in a folder with the photographs and tables that readers of the pages have."""
    from PIL import Image

    photos = folder / "photos"
    write_photographs(photos)
    files = sorted(photos.rglob("*.jpg"))
    copies = (
        "new_photos/1.jpg",
        "more/2.jpg",
        "cat.jpg",
        "dog.png",
        "new_faces/3.jpg",
    )
    for source, copy in zip(files, copies, strict=False):
        (folder / copy).parent.mkdir(exist_ok=True)
        Image.open(source).save(folder / copy)
    _write_tables(folder, files)
    _write_scans(folder, files)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=lambda place, names: {"android", "ios"})
    with contextlib.chdir(folder):
        yield


def _write_scans(folder, files):
    """The photographs in folders of classes and patients, with a row of parts each, and their table."""
    rows = ["path,label,patient"]
    for file in files:
        kind, (row, column) = file.parent.name, file.stem.split("_")
        copy = folder / "scans" / kind / f"{kind}_{row}" / f"{column}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
        rows.append(f"{copy.relative_to(folder)},{kind},{copy.parent.name}")
    (folder / "scans.csv").write_text("\n".join(rows))


def _write_tables(folder, files):
    """Tables of several labels and of numbers."""
    several = ["path,indoor,people,food"]
    several += [
        f"{file},{number % 2},{number % 3 == 0:d},{number % 5 == 0:d}" for number, file in enumerate(files)
    ]
    (folder / "photos.csv").write_text("\n".join(several))
    (folder / "faces").mkdir()
    ages = ["path,age"]
    for number, file in enumerate(files):
        shutil.copy(file, folder / "faces" / f"{number}.jpg")
        ages.append(f"{number}.jpg,{20 + 0.5 * number}")
    (folder / "faces" / "labels.csv").write_text("\n".join(ages))
