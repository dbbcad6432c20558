import pytest
from rich.console import Console

from keras_vit.export.model.keras_export import KerasExport
from keras_vit.export.text.export import TextExport
from keras_vit.export.verification.table import results_table

COLUMNS = KerasExport.columns

ROW = {
    "variant": "dynamic_int8",
    "size": 6_150_000,
    "latency_ms": 12.34,
    "score": 1.0,
    "drop": -0.25,
    "agreement": 1.0,
    "max_difference": 1.8e-2,
    "failure": None,
}


def test_a_row_is_one_line_of_80_columns():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table([ROW], COLUMNS))
    lines = console.export_text().splitlines()
    assert len(lines) == 2
    assert lines[1].split() == (
        [
            "dynamic_int8",
            "6.15",
            "MB",
            "12.3",
            "ms",
            "1.0000",
            "-0.25",
            "100.00",
            "%",
            "1.8e-02",
            "verified",
        ]
    )


@pytest.mark.parametrize(
    ("metrics", "heading"), [(("F1", "F1"), "F1"), (("F1", "accuracy"), "score"), ((None, None), "score")]
)
def test_the_scores_are_called_by_their_metric_where_all_have_one(metrics, heading):
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    rows = [ROW if metric is None else {**ROW, "metric": metric} for metric in metrics]
    console.print(results_table(rows, COLUMNS))
    assert console.export_text().split()[3] == heading


def test_each_of_several_outputs_has_a_line_with_its_score():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    seen = {"agreement": 1.0, "max_difference": 1e-2, "drop": 0.01}
    kind = {**seen, "metric": "accuracy", "score": 0.9, "drop": 1.0}
    outputs = {"kind_of_the_flower_seen": kind, "features": seen}
    console.print(results_table([{**ROW, "outputs": outputs}] * 2, COLUMNS))
    lines = [line.split() for line in console.export_text().splitlines()]
    names = ["dynamic_int8", "kind_of_the_flo…", "features"]
    assert [line[0] for line in lines] == ["variant", *names, *names]
    assert lines[2][1:] == ["0.9000", "+1.00", "100.00", "%", "1.0e-02", "accuracy"]
    assert lines[5][1:] == ["0.9000", "+1.00", "100.00", "%", "1.0e-02"]
    assert lines[3][1:] == ["-", "+0.01", "100.00", "%", "1.0e-02"]


def test_a_variant_that_could_not_be_made_shows_why():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table([{"variant": "fp16", "failure": "crashed"}], COLUMNS))
    assert "crashed" in console.export_text()


def test_a_reason_stands_below_the_table_in_one_line():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    reason = "not verified: 0.05 ms, dynamic_int8 passed with 0.04 ms"
    console.print(results_table([{**ROW, "variant": "fp32", "failure": reason}, ROW], COLUMNS))
    lines = [line.strip() for line in console.export_text().splitlines()]
    assert len(lines) == 4 and lines[1].endswith(" not verified")
    assert lines[3] == f"fp32: {reason}"


def test_what_auto_keeps_and_the_layers_it_quantizes_less_are_shown():
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    retried = {**ROW, "variant": "mixed_int8", "kept": True, "spared_layers": ["encoder/block_0/mlp", "head"]}
    console.print(results_table([retried, {**ROW, "kept": False}], COLUMNS))
    text = console.export_text()
    assert text.count("kept") == 1
    assert "quantized less:" in text and "head" in text


def test_a_file_with_few_int8_weights_says_so():
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table([{**ROW, "int_weights": share} for share in (0.98, 0.034)], COLUMNS))
    first, second, below = console.export_text().splitlines()[1:]
    assert first.strip().endswith(" verified") and second.strip().endswith(" verified")
    assert below.strip() == "dynamic_int8: 3 % of the weights int8"


@pytest.mark.parametrize("export", [KerasExport, TextExport])
def test_brackets_in_a_failure_are_no_markup(export):
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    row = {"variant": "fp16", "failure": "no kernel in [/job:localhost/device:CPU:0]"}
    console.print(results_table([row], export.columns))
    assert "no kernel in [/job:localhost/device:CPU:0]" in console.export_text()
