"""Progress where there is no terminal: lines, with the time left."""

import re
import time

import pytest

from keras_vit.export.variants import steps
from keras_vit.io import progress


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)


def test_long_work_says_how_far_it_is_and_what_is_left(soon, capsys):
    for _ in progress.tracked(range(4), "reading"):
        time.sleep(0.06)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("reading: 25%, about 0 s left")
    assert len(lines) == 3


@pytest.mark.usefixtures("soon")
def test_a_single_chunk_is_passed_on_without_a_word(capsys):
    assert list(progress.tracked([7], "reading")) == [7]
    assert capsys.readouterr().err == ""


def test_short_work_says_nothing(capsys):
    with progress.working("exporting", ["fp32"]) as update:
        update("fp32", "converting")
    assert list(progress.tracked(range(5), "reading")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr().err == ""


def test_parts_that_are_done_tell_the_time_of_the_others(soon, capsys):
    with progress.working("exporting", ["fp32", "fp16", "int8"]) as update:
        for variant in ("fp32", "fp16"):
            update(variant, "converting")
            time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"exporting: fp32: converting, 0 s", lines[0])
    assert re.fullmatch(r"exporting: fp16: converting, 0 s, about 1 s left", lines[-1])


def test_what_nobody_planned_has_no_time_left_until_the_next_part(soon, capsys):
    parts = steps(["fp32", "auto"])
    with progress.working("exporting", parts) as update:
        for part, what in (
            ("fp32", "converting"),
            ("full_int8", "converting"),
            ("fp32, full_int8", "timing"),
            ("full_int8", "measuring what each layer loses"),
            ("calibration", "finding ranges, 50%, about 2 s left"),
            ("full_int8", "verifying on 9 items"),
        ):
            update(part, what)
            time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    left = {line.split(", ")[0].removeprefix("exporting: "): line.count("left") for line in lines}
    assert left == {
        "fp32: converting": 0,
        "full_int8: converting": 1,
        "fp32": 1,  # and full_int8: timing
        "full_int8: measuring what each layer loses": 0,
        "calibration: finding ranges": 1,
        "full_int8: verifying on 9 items": 1,
    }


def test_results_within_long_work_are_shown_after_its_last_line(soon, capsys):
    with progress.working("exporting") as update:
        time.sleep(0.12)
        update.stop()
        before = capsys.readouterr().err
        time.sleep(0.12)
    assert before and capsys.readouterr().err == ""


def test_an_error_within_long_work_ends_its_lines(soon, capsys):
    with pytest.raises(ValueError), progress.working("converting"):
        raise ValueError
    before = capsys.readouterr().err
    time.sleep(0.15)
    assert capsys.readouterr().err == before == ""
