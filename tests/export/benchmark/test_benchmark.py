"""Files are measured in turn, on the real runtime."""

import json
import os
import sys

import pytest

from export.benchmark.delegation import delegation
from export.benchmark.run import benchmark
from export.tflite_graph import operators, read_graph
from keras_vit import InputError
from keras_vit.__main__ import main


def outside(content):
    partitions, left = delegation(content, operators(read_graph(content)))
    return partitions, [operator.kind for operator in left]


def test_what_the_delegate_leaves_is_found_between_its_partitions(plain, cut):
    assert outside(plain) == (1, [])
    assert outside(cut) == (2, ["UNPACK"])


@pytest.fixture
def files(plain, cut, tmp_path):
    (tmp_path / "plain.tflite").write_bytes(plain)
    (tmp_path / "cut.tflite").write_bytes(cut)
    return [tmp_path / "cut.tflite", tmp_path / "plain.tflite"]


def test_two_files_are_compared_and_taken_apart(files):
    small, large = benchmark(files, rounds=9)
    assert small["ratio"] == 1 and large["ratio"] == large["median_ms"] / small["median_ms"] > 2
    assert 0 < large["p10_ms"] <= large["median_ms"] <= large["p90_ms"]
    # Three products of 64 x 256 x 256 are nearly all of the work, gelu and softmax the rest.
    assert 0.2 < large["floor_ratio"] < 1.3
    by_kind = {row["kind"]: row for row in large["operators"]}
    assert by_kind["FULLY_CONNECTED"]["count"] == 3
    assert {row["kind"]: row["outside"] for row in small["operators"]}["UNPACK"] == 1
    assert [operator["kind"] for operator in small["outside"]] == ["UNPACK"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told on Linux alone")
def test_memory_holds_at_least_the_weights(files):
    _, large = benchmark(files, rounds=2)
    weights = 4 * (64 * 256 + 2 * 256 * 256)
    assert weights < large["peak_memory_bytes"] < 20 * weights


def test_more_threads_are_timed_by_the_clock(files):
    (row,) = benchmark(files[:1], num_threads=2, rounds=2)
    assert row["clock"] == "wall" and row["num_threads"] == 2


def test_what_does_not_run_is_refused_by_name(plain, needs_flex, tmp_path):
    for name, content, message in (
        ("text", b"no model at all", "no TFLite file"),
        ("truncated", plain[: len(plain) // 2], "damaged|does not run"),
        ("flex", needs_flex, "FlexMatrixInverse"),
    ):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with pytest.raises(InputError, match=message) as caught:
            benchmark([path])
        assert str(path) in str(caught.value)


def test_the_command_shows_tables_and_writes_json(files, tmp_path, capsys):
    out = tmp_path / "figures.json"
    assert main(["benchmark", *map(os.fspath, files), "--rounds", "5", "--json", str(out)]) == 0
    shown = capsys.readouterr()
    assert "FULLY_CONNECTED" in shown.out and "1 UNPACK, the first at" in shown.out
    assert [row["file"] for row in json.loads(out.read_text())] == [str(file) for file in files]


def test_the_command_ends_with_2_for_a_file_that_is_not_there(tmp_path, capsys):
    assert main(["benchmark", str(tmp_path / "none.tflite")]) == 2
    assert "none.tflite, found none" in capsys.readouterr().err
