"""What a release says of itself is one and the same everywhere."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("path", sorted((ROOT / "docker").glob("*.Dockerfile")), ids=lambda path: path.stem)
def test_what_a_docker_file_copies_is_in_the_folder_that_it_is_built_from(path):
    text = path.read_text(encoding="utf-8")
    command = re.search(r"^# +docker build (.+)$", text, re.MULTILINE)[1].split()
    assert command[command.index("-f") + 1] == f"docker/{path.name}"
    if command[-1] == ".":
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
        copied = re.findall(r"^COPY ([^$\s]+)", text, re.MULTILINE)
        copied += [word.removeprefix("MODEL=") for word in command if word.startswith("MODEL=")]
        assert not {source.split("/")[0] for source in copied} & set(ignored)
