"""Builds the site into build/site; a warning, such as a broken link, is an error.

    python website/build.py            # needs pip install -e ".[docs]"
    python website/build.py --serve    # and shows it at http://localhost:8000

The pages are those of docs/, and those that `generated_pages` makes from the code, the programs and
the notebooks.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from generated_pages import write_pages

ROOT = Path(__file__).parents[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help="then serve it")
    options = parser.parse_args()
    pages = ROOT / "build" / "docs"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages)
    write_pages(pages, ROOT)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--clean"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    if code == 0 and options.serve:
        subprocess.run([sys.executable, "-m", "http.server", "--directory", ROOT / "build" / "site"])
    return code


if __name__ == "__main__":
    sys.exit(main())
