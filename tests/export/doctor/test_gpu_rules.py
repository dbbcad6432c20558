"""The rules for GPUs and the page of what was seen say the same."""

from pathlib import Path

import pytest

from keras_vit.export.doctor.rules.gpu import PUBLISHED, TAKEN

PAGE = Path(__file__).parents[3] / "docs" / "results" / "gpu.md"


def rows(verdict):
    """Sets of operators, of the rows of single functions with a verdict."""
    table = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    cells = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    return [set(row[1].split(", ")) for row in cells if row[2] == verdict]


def test_operators_that_were_right_are_taken_by_the_rules_and_no_others():
    right = set().union(*rows("right"))
    assert {"FULLY_CONNECTED", "SLICE", "GELU"} <= right
    assert right == TAKEN
    assert not TAKEN & PUBLISHED


@pytest.mark.parametrize("verdict", ["refused", "WRONG", "fails"])
def test_what_was_refused_or_wrong_has_a_rule(verdict):
    with_a_rule = {
        "STRIDED_SLICE",
        "GATHER",
        "CONV_2D",
        "SPLIT",
        "ADD",
        "BATCH_MATMUL",
        "PACK",
        "MUL",
        "MEAN",
    }  # for some of their forms, and next to an output that is an input
    for operators in rows(verdict):
        assert operators - TAKEN or operators & with_a_rule, operators
