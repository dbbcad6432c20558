"""Which variant `auto` keeps."""

import functools

import pytest

from keras_vit import ConditionError
from keras_vit.export.measurement import WARM_UP, median_ms
from keras_vit.export.variants import CANDIDATES, FILES
from keras_vit.export.verification.choose import choose, fastest
from keras_vit.export.verification.export import check_passed
from keras_vit.io.figures import latency_words


def row(variant, latency, size=100, passed=True, drop=0.0, agreement=1.0):
    return {
        "variant": variant,
        "passed": passed,
        "failure": None if passed else "lost",
        "latency_ms": latency,
        "size": size,
        "drop": drop,
        "max_drop": 0.5,
        "agreement": agreement,
    }


class Attempt:
    """Writes its options into a file; passes when the layers that cost accuracy are quantized less."""

    least_agreement = 0.97

    def __init__(self, rows, needs=(), layers=()):
        self.layers = layers
        self.rows = {row["variant"]: row for row in rows}
        self.needs = set(needs)
        self.written, self.verified = [], []

    def write(self, variant, folder, spared=()):
        self.written.append(variant)
        (folder / FILES[variant]).write_text(f"{variant} {sorted(spared)}")
        result = {**self.rows[variant], "passed": False, "failure": None}
        return {**result, "spared": set(spared)}

    def verify(self, row):
        self.verified.append(row["variant"])
        planned = self.rows[row["variant"]]
        row.update(passed=planned["passed"], failure=planned["failure"])
        if row["spared"] and self.needs <= row["spared"]:
            row.update(passed=True, failure=None, drop=0.1)

    def time(self, rows):
        pass

    def sensitivity(self, variant):
        return [
            {"layer": name.upper(), "spared": [name], "error": float(len(self.layers) - i)}
            for i, name in enumerate(self.layers)
        ]


def choose_with(attempt, folder, named=()):
    asked_for = [row["variant"] for row in named]
    return choose(attempt, [v for v in CANDIDATES if v not in asked_for], folder, named)


def all_rows(**changes):
    rows = {v: row(v, 10 - i) for i, v in enumerate(CANDIDATES)}
    return [*{**rows, **changes}.values()]


def test_the_fastest_that_passed_is_taken():
    assert fastest([row("fp32", 3), row("fp16", 2), row("int4", 1, passed=False)])["variant"] == "fp16"
    assert fastest([row("fp32", 3, passed=False)]) is None


def test_of_nearly_equal_ones_that_is_taken_which_arm_likes():
    rows = [row("int4", 0.92, 50), row("dynamic_int8", 1.00, 100), row("fp32", 1.01, 400)]
    assert fastest(rows)["variant"] == "dynamic_int8"
    assert fastest([row("int4", 0.68), row("dynamic_int8", 0.75)])["variant"] == "int4"  # clearly faster
    assert fastest([row("fp32", 1.00, 400), row("fp16", 1.02, 200)])["variant"] == "fp16"


def test_by_the_latencies_of_a_phone_the_fastest_is_taken_and_of_equal_ones_the_smallest():
    rows = [row("int4", 0.92, 50), row("dynamic_int8", 1.00, 100)]
    measured = [{**each, "measured_on": "a phone, CPU"} for each in rows]
    assert fastest(measured)["variant"] == "int4"
    measured[1]["latency_ms"] = 0.90
    assert fastest(measured)["variant"] == "int4"


def test_one_file_is_kept_and_the_others_leave_nothing(tmp_path):
    (tmp_path / FILES["fp16"]).write_text("of an earlier export")
    rows = choose_with(Attempt(all_rows()), tmp_path)
    assert [r["variant"] for r in rows if r["kept"]] == [CANDIDATES[-1]]
    assert [p.name for p in tmp_path.iterdir()] == [FILES[CANDIDATES[-1]]]


def test_a_variant_requested_by_name_stays(tmp_path):
    (tmp_path / FILES["fp32"]).write_text("asked for")
    rows = choose_with(Attempt(all_rows()), tmp_path, named=[row("fp32", 10)])
    assert "fp32" not in [r["variant"] for r in rows]
    assert (tmp_path / FILES["fp32"]).read_text() == "asked for"


def test_auto_keeps_no_other_where_a_variant_requested_by_name_is_the_fastest(tmp_path):
    (tmp_path / FILES["fp32"]).write_text("asked for")
    named = [row("savedmodel", 0.1), row("fp32", 1)]
    rows = choose_with(Attempt(all_rows()), tmp_path, named=named)
    assert [r["variant"] for r in named + rows if r.get("kept")] == ["fp32"]
    assert [path.name for path in tmp_path.iterdir()] == [FILES["fp32"]]
    check_passed(named + rows, rows, tmp_path)


def test_auto_ignores_a_variant_requested_by_name_whose_predictions_differ(tmp_path):
    named = [row("fp16", 1, agreement=0.9)]
    rows = choose_with(Attempt(all_rows()), tmp_path, named=named)
    assert [r["variant"] for r in named + rows if r.get("kept")] == [CANDIDATES[-1]]


def test_what_is_clearly_slower_than_a_file_that_passed_is_not_verified_and_says_so(tmp_path):
    attempt = Attempt(all_rows())
    rows = choose_with(attempt, tmp_path)
    assert attempt.verified == [CANDIDATES[-1]]
    failures = {r["variant"]: r["failure"] for r in rows}
    assert failures["mixed_int8"] == "not verified: 7.00 ms, int4 passed with 5.00 ms"
    assert "fp16" not in attempt.written and "as fast as fp32, int4 is faster" in failures["fp16"]
    assert [r["variant"] for r in rows] == list(CANDIDATES)


def test_reasons_have_the_latencies_of_the_rows_also_where_these_were_measured_again(tmp_path):
    class Again(Attempt):
        def time(self, rows):
            for each in rows:
                each["latency_ms"] -= 0.25

    rows = {v: row(v, 20) for v in CANDIDATES} | {"fp32": row("fp32", 10), "fp16": row("fp16", 10, size=50)}
    found = {r["variant"]: r for r in choose_with(Again([*rows.values()]), tmp_path)}
    for variant in ("dynamic_int8", "mixed_int8"):
        own, best = (latency_words(found[each]["latency_ms"]) for each in (variant, "fp16"))
        assert found[variant]["failure"] == f"not verified: {own}, fp16 passed with {best}"


def test_a_smaller_file_of_the_same_speed_is_written_where_that_may_win(tmp_path):
    rows = {v: row(v, 10 if v == "fp32" else 20) for v in CANDIDATES}
    rows["fp16"] = row("fp16", 10, size=50)
    kept = [r["variant"] for r in choose_with(Attempt([*rows.values()]), tmp_path) if r["kept"]]
    assert kept == ["fp16"]


def test_less_of_a_variant_is_quantized_only_as_long_as_it_stays_the_fastest(tmp_path):
    class Slower(Attempt):
        def time(self, rows):
            for each in rows:
                if each.get("spared_layers"):
                    each["latency_ms"] = 8.0

    rows = all_rows(int4=row("int4", 1, passed=False, drop=9.0))
    attempt = Slower(rows, needs=("a",), layers="abcdef")
    found = choose_with(attempt, tmp_path)
    assert [r["variant"] for r in found if r["kept"]] == ["full_int8"]
    assert attempt.verified == ["int4", "full_int8"] and attempt.written.count("int4") == 2


def test_by_the_latencies_of_a_phone_only_what_was_measured_there_is_kept(tmp_path):
    """Neither a file that was requested by name nor one with other layers in float, which were not."""

    class OnPhone(Attempt):
        def time(self, rows):
            for each in rows:
                if each["variant"] in ("fp32", "int4"):
                    each["latency_ms"], each["measured_on"] = (
                        5.0 + (each["variant"] == "fp32"),
                        "a phone, CPU",
                    )
                elif not each["passed"]:
                    each.pop("latency_ms", None)

    rows = all_rows(int4=row("int4", 1, passed=False, drop=9.0))
    attempt = OnPhone(rows, needs=("a",), layers="abcdef")
    found = choose_with(attempt, tmp_path, named=[row("dynamic_int8", 0.1)])
    assert [r["variant"] for r in found if r["kept"]] == ["fp32"]
    assert attempt.written.count("int4") == 1 and "full_int8" not in attempt.verified


def test_the_worst_layers_of_a_fast_variant_are_quantized_less_and_named(tmp_path):
    rows = all_rows(mixed_int8=row("mixed_int8", 1, passed=False, drop=2.0))
    attempt = Attempt(rows, needs=("a", "b"), layers="abcdef")
    (kept,) = [r for r in choose_with(attempt, tmp_path) if r["kept"]]
    assert kept["variant"] == "mixed_int8"
    assert kept["spared_layers"] == ["A", "B", "C"]
    assert kept["drop_with_all_layers"] == 2.0
    assert (tmp_path / FILES["mixed_int8"]).read_text() == "mixed_int8 ['a', 'b', 'c']"


def test_a_variant_that_cannot_win_is_not_tried_again(tmp_path):
    class Never(Attempt):
        def sensitivity(self, variant):
            raise AssertionError("this takes minutes")

    choose_with(Never(all_rows(full_int8=row("full_int8", 99, passed=False, drop=9.0))), tmp_path)


def test_a_sensitivity_pass_that_crashes_leaves_the_others_as_they_are(tmp_path):
    class Crashing(Attempt):
        def sensitivity(self, variant):
            raise ConditionError("ended by signal 11")

    rows = all_rows(int4=row("int4", 1, passed=False, drop=9.0))
    assert [r["variant"] for r in choose_with(Crashing(rows), tmp_path) if r["kept"]] == ["full_int8"]


def test_no_variant_at_all_is_no_crash(tmp_path):
    rows = [row(v, 1, passed=False, drop=9.0) for v in CANDIDATES]
    assert not any(r["kept"] for r in choose_with(Attempt(rows), tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [1, 5])
def test_latencies_are_medians_of_rounds_interleaved_rounds_after_a_warm_up(count):
    order, clock = [], [0.0]

    def run(number):
        order.append(number)
        calls = order.count(number)
        slow = calls <= WARM_UP or calls == WARM_UP + 2  # one that the machine disturbed
        clock[0] += 60.0 if slow else (1 + number) / 1000

    runs = [functools.partial(run, number) for number in range(count)]
    times = median_ms(runs, rounds=5, clock=lambda: clock[0])
    assert order == list(range(count)) * (WARM_UP + 5)
    assert times == pytest.approx([1 + number for number in range(count)])
