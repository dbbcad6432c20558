from rich.console import Console

from export.table import results_table

ROW = {
    "variant": "dynamic_int8",
    "size": 6_150_000,
    "latency_ms": 12.34,
    "accuracy": 1.0,
    "drop": -0.25,
    "top1_agreement": 1.0,
    "max_probability_difference": 1.8e-2,
    "failure": None,
}


def test_a_row_is_one_line_of_80_columns():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table([ROW]))
    lines = console.export_text().splitlines()
    assert len(lines) == 2
    assert lines[1].split() == (
        [
            "dynamic_int8",
            "6.15",
            "MB",
            "12.34",
            "ms",
            "100.00",
            "%",
            "-0.25",
            "100.00",
            "%",
            "1.8e-02",
            "verified",
        ]
    )


def test_a_variant_that_could_not_be_made_shows_why():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table([{"variant": "fp16", "failure": "crashed"}]))
    assert "crashed" in console.export_text()
