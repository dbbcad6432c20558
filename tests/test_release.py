"""What a release says of itself is one and the same everywhere."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import keras_vit

ROOT = Path(__file__).parent.parent


def test_the_version_has_its_section_in_the_changelog_and_in_the_citation():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert keras_vit.__version__ in re.findall(r"^## (\S+)", changelog, re.MULTILINE)
    assert f"version: {keras_vit.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_a_release_adds_the_addresses_of_its_repository_to_the_project():
    program = ROOT / ".github" / "project_urls.py"
    added = subprocess.run(
        [sys.executable, program, "https://github.com/owner/name"], capture_output=True, text=True, check=True
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8") + added.stdout)["project"]
    assert project["urls"]["Homepage"] == "https://github.com/owner/name"
    for place in project["urls"].values():
        _, _, file = place.partition("/blob/main/")
        assert (ROOT / file).exists()
