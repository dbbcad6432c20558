"""The best models for their latency or size, as a table and a picture."""

import csv

from PIL import Image

from keras_vit.export.frontier import Entry, draw, front, table, write_frontier

SMALL = Entry("small", "cnn", 1_000, 0.80, 0.80, "int4", 0.5, 9_000)
FAST = Entry("fast", "vit", 5_000, 0.90, 0.90, "dynamic_int8", 0.1, 30_000)
GOOD = Entry("good", "levit", 9_000, 0.95, 0.94, "full_int8", 0.4, 50_000)
WORSE = Entry("worse", "levit", 9_500, 0.93, 0.93, "full_int8", 0.4, 60_000)
ALL = [WORSE, SMALL, GOOD, FAST]


def test_a_front_has_those_that_none_beats_at_its_cost():
    assert front(ALL, "latency_ms") == [FAST, GOOD]
    assert front(ALL, "size") == [SMALL, FAST, GOOD]


def test_the_table_has_the_fastest_first_and_marks_the_best():
    lines = table(ALL, "accuracy", "Two sentences.").splitlines()
    assert lines[2] == (
        "| fast | vit | 5,000 | 90.00 % | dynamic_int8 | 90.00 % | 0.100 | 0.03 MB | latency and size |"
    )
    assert [line.split(" | ")[0] for line in lines[2:6]] == ["| fast", "| worse", "| good", "| small"]
    assert [line.split(" | ")[-1] for line in lines[3:6]] == [" |", "latency and size |", "size |"]
    assert lines[-1] == "Two sentences."
    assert "| 0.9300 |" in table(ALL, "mean_absolute_error", "")


def test_table_rows_and_picture_are_written(tmp_path):
    write_frontier(ALL, "accuracy", tmp_path, "About.")
    rows = list(csv.DictReader((tmp_path / "frontier.csv").open()))
    assert [row["name"] for row in rows] == ["worse", "small", "good", "fast"]
    assert float(rows[2]["score"]) == 0.94
    assert Image.open(tmp_path / "frontier.png").size == (825, 1125)
    assert (tmp_path / "frontier.md").read_text().endswith("About.\n")


def test_each_family_has_a_line_and_each_model_its_name():
    left, right = draw(ALL, "accuracy").axes
    for axes in (left, right):
        labels = axes.get_legend_handles_labels()[1]
        assert labels == ["levit", "cnn", "vit", "best of all"]
        assert [text.get_text() for text in axes.texts] == ["worse", "small", "good", "fast"]


def test_names_of_models_that_are_alike_do_not_lie_on_each_other():
    alike = [
        SMALL._replace(name=f"a_long_name_{number}", latency_ms=0.5 + number / 1000) for number in range(3)
    ]
    for axes in draw([*alike, FAST], "accuracy").axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert not any(one.overlaps(other) for n, one in enumerate(boxes) for other in boxes[:n])
