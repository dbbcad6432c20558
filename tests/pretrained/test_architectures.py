"""Every Vision Transformer that timm names is read as timm builds it, without its weights."""

import json
import math
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.keras_internals import uninitialized_weights
from keras_vit.models import vit
from keras_vit.pretrained.families import family_of
from keras_vit.pretrained.mapping import read_weights
from keras_vit.pretrained.tensors import Tensor, Tensors

PEERS = os.environ.get("KERAS_VIT_PEERS_PYTHON")
# Graphs of other kinds: parallel or normalised sums, differential attention, RMS norm, norms inside,
# positions that are rotated by the patch's number, queries that share keys, no norm at the end.
REFUSED = (
    r"18x2|_xp_|_rpn_|_d?pwee|_dwee|_dlittle|aimv2|beit3|test_vit4|so150m2|^eva_|enormous|_rope_|_pe_|"
    r"sapiens2|_radio_|_intern300m_"
)
BLOCKS = {("LayerNorm", "Attention", "Block"), ("LayerNorm", "EvaAttention", "EvaBlock")}


def zeros(shapes):
    """Tensors of these shapes; the values are zeros, which take no memory."""

    def tensor(shape):
        return Tensor(tuple(shape), lambda: np.broadcast_to(np.float32(0), shape))

    return Tensors("timm", {name: tensor(shape) for name, shape in shapes.items()})


@pytest.fixture(scope="module")
def architectures(tmp_path_factory):
    if not PEERS:
        pytest.skip("KERAS_VIT_PEERS_PYTHON does not name a Python with timm and transformers")
    path = tmp_path_factory.mktemp("architectures") / "timm.json"
    program = Path(__file__).parent.parent.parent / "benchmarks/workers/timm_architectures.py"
    subprocess.run([PEERS, program, path], check=True, capture_output=True)
    return json.loads(path.read_text())


def test_heads_activation_and_epsilon_are_those_that_timm_builds(architectures):
    served = {name: row for name, row in architectures.items() if not re.search(REFUSED, name)}
    assert len(served) > 100
    for name, row in served.items():
        tensors = zeros(row["tensors"])
        config = {"architecture": name, "pretrained_cfg": {"input_size": row["input_size"]}}
        arguments = family_of(config, tensors).read(config, tensors).arguments
        expected = (row["num_heads"], row["activation"], row["epsilon"])
        assert (arguments["num_heads"], arguments["activation"], arguments["epsilon"]) == expected, name
        base = {"RotaryEmbeddingDinoV3": 100, "RotaryEmbeddingCat": 10_000}.get(row["rotation"])
        assert arguments.get("rotary_base") == base, name
        assert (row["norm"], row["attention"], row["block"]) in BLOCKS, name


@pytest.mark.slow
def test_every_tensor_of_every_size_is_used_once(architectures):
    """Checks the first two blocks; the others are the same."""
    for name, row in architectures.items():
        if re.search(REFUSED, name):
            continue
        kept = {k: v for k, v in row["tensors"].items() if not re.match(r"blocks\.([2-9]|\d\d)\.", k)}
        config = {"architecture": name, "pretrained_cfg": {"input_size": row["input_size"]}}
        family = family_of(config, zeros(kept))
        tensors = zeros(kept).renamed(family.rename)
        with uninitialized_weights():
            model = vit(**(arguments := family.read(config, tensors).arguments))
        read_weights(model, family.table(arguments), tensors, family.unused)
        assert model.count_params() == sum(math.prod(shape) for shape in kept.values()), name


@pytest.mark.parametrize(
    "name",
    [
        "vit_base_patch16_rpn_224",
        "vit_medium_patch16_rope_reg1_gap_256",
        "vit_pe_core_base_patch16_224",
        "eva_giant_patch14_224",
    ],
)
def test_other_graphs_under_the_same_names_are_refused(name, architectures):
    tensors = zeros(architectures[name]["tensors"])
    with pytest.raises(InputError, match="another graph"):
        family_of({"architecture": name}, tensors).read({"architecture": name}, tensors)
