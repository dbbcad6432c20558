"""Files are measured in interleaved rounds, on the real runtime."""

import json
import os
import sys

import pytest
import tensorflow as tf
from rich.console import Console

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.export import benchmark
from keras_vit.export.benchmarking.parts import only
from keras_vit.export.benchmarking.table import operators_table
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.workers.convert import convert
from keras_vit.export.workers.delegation import delegation


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


@pytest.mark.skipif(sys.platform != "linux", reason="memory is reported on Linux only")
def test_memory_holds_at_least_the_weights(files):
    _, large = benchmark(files, rounds=2)
    weights = 4 * (64 * 256 + 2 * 256 * 256)
    assert weights < large["peak_memory_bytes"] < 20 * weights


def test_more_threads_are_timed_by_the_clock(files):
    (row,) = benchmark(files[:1], num_threads=2, rounds=2)
    assert row["clock"] == "wall" and row["num_threads"] == 2


def test_what_does_not_run_is_refused_by_name(plain, needs_flex, tmp_path):
    for name, content, message in (
        ("text", b"no model at all", "not a TFLite file"),
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


def test_a_json_path_that_cannot_be_written_is_refused_before_anything_is_measured(
    files, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("keras_vit.export.benchmarking.run.benchmark", None)  # it must not be called
    before = files[0].read_bytes()
    for place in (tmp_path, files[0] / "figures.json", files[0]):
        assert main(["benchmark", *map(os.fspath, files), "--json", str(place)]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert files[0].read_bytes() == before


@pytest.fixture(scope="module")
def signatures(tmp_path_factory):
    """A file with a small and a large signature, quantised."""
    small, large = tf.Variable(tf.ones((8, 8))), tf.Variable(tf.random.normal((256, 256)))
    spec = tf.TensorSpec

    class Two(tf.Module):
        @tf.function(input_signature=[spec((1, 8))])
        def small(self, x):
            return {"y": x @ small}

        @tf.function(input_signature=[spec((1, 256))])
        def large(self, x):
            return {"y": tf.tanh(x @ large)}

    module, folder = Two(), tmp_path_factory.mktemp("signatures")
    module.weights = small, large
    tf.saved_model.save(module, folder / "model", {"a_small": module.small, "large": module.large})
    (folder / "two.tflite").write_bytes(convert(str(folder / "model"), ["a_small", "large"], ["optimize"]))
    return folder / "two.tflite"


def test_the_signature_that_is_asked_for_is_measured(signatures, capsys):
    (first,), (second,) = (
        benchmark([signatures], rounds=2),
        benchmark([signatures], rounds=2, signature="large"),
    )
    assert first["signatures"] == ["a_small", "large"] and second["signatures"] == ["large", "a_small"]
    assert {row["kind"] for row in second["operators"]} >= {"FULLY_CONNECTED", "TANH"}
    assert "TANH" not in {row["kind"] for row in first["operators"]}
    assert main(["benchmark", str(signatures), "--rounds", "5"]) == 0
    assert "signature a_small; --signature also accepts large" in capsys.readouterr().out
    with pytest.raises(InputError, match="no signature 'step'. Expected one of: a_small, large"):
        benchmark([signatures], signature="step")


def test_an_operator_that_does_not_run_alone_has_no_time_alone(plain, tmp_path, monkeypatch, capsys):
    from keras_vit.export.benchmarking import measured_file

    def refuse(model, kinds):
        if kinds == {"SOFTMAX"}:
            raise RuntimeError("failed to setup XNNPACK runtime")
        return only(model, kinds)

    monkeypatch.setattr(measured_file, "only", refuse)
    (tmp_path / "plain.tflite").write_bytes(plain)
    (row,) = benchmark([tmp_path / "plain.tflite"], rounds=2)
    times = {line["kind"]: line["alone_ms"] for line in row["operators"]}
    assert times["SOFTMAX"] is None and times["FULLY_CONNECTED"] > 0
    Console().print(operators_table(row))
    assert "SOFTMAX" in capsys.readouterr().out


@pytest.mark.parametrize("files", [[], (), "model.tflite"])
def test_what_is_no_list_of_files_is_refused(files):
    with pytest.raises(InputError, match="Expected a list of at least one .tflite file, received"):
        benchmark(files)
