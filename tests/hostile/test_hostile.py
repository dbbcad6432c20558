"""A sample of the bad inputs of `benchmarks/hostile_files.py`, which reads them all."""

import pytest
from hostile_inputs import all_cases, read_good, write_good
from hostile_readers import OTHER, judge

CASES = all_cases()
EVERY = {  # most take a second each; of some there are few
    "tflite": 40,
    "predictor tflite": 20,
    "predictor keras": 9,
    "checkpoint": 30,
    "saved model": 20,
    "tfds": 25,
    "text": 6,
}
# in the names of those that take many seconds
HEAVY = ("10^6 shards", "bomb", "0,000", "10^9 blocks", "MB", "GB")
LIGHT = [case for case in CASES if not any(word in case.name for word in HEAVY)]
SAMPLE = [case for n, case in enumerate(LIGHT) if n % EVERY.get(case.reader, 11) == 5]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    write_good(folder)
    return read_good(folder)


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_a_bad_file_results_in_one_clear_error_or_is_read_correctly(case, good):
    verdict = judge(case, *good)
    assert verdict.outcome != OTHER, verdict.detail


def test_there_are_hundreds_of_bad_files_of_every_kind_and_some_of_each_in_this_sample():
    assert len(CASES) >= 300 and len(SAMPLE) >= 60
    assert {case.reader for case in SAMPLE} == {case.reader for case in CASES}
