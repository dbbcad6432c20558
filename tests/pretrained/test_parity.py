"""Our models against the originals: logits, the output of every block, the gradient of the images."""

import os
import subprocess
from pathlib import Path

import parity_contract
import pytest

ROOT = Path(__file__).parent.parent.parent
FIXTURES = Path(__file__).parent / "fixtures"
PEERS = os.environ.get("KERAS_VIT_PEERS_PYTHON")


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """All originals, written again by timm and transformers."""
    if not PEERS:
        pytest.skip("KERAS_VIT_PEERS_PYTHON does not name a Python with timm and transformers")
    folder = tmp_path_factory.mktemp("originals")
    program = ROOT / "benchmarks/workers/pretrained_originals.py"
    subprocess.run([PEERS, program, folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("folder", sorted(FIXTURES.iterdir()), ids=lambda path: path.name)
def test_a_stored_original_is_reproduced(folder):
    assert max(parity_contract.errors(folder).values()) < parity_contract.TOLERANCE


def test_all_originals_are_reproduced(originals):
    found = {folder.name: parity_contract.errors(folder) for folder in sorted(originals.iterdir())}
    assert len(found) > 30
    assert {name: e for name, e in found.items() if max(e.values()) >= parity_contract.TOLERANCE} == {}
