"""What a trial tells of its epochs."""

import pytest

from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning.workers.job import Job
from keras_vit.training.tuning.workers.trial import _Report


class Searcher:
    """The other end of the connection: notes what it hears, and answers as it was told."""

    def __init__(self, *answers):
        self.heard = []
        self.answers = list(answers)

    def send(self, message):
        self.heard.append(message)

    def recv(self):
        return self.answers.pop(0)


@pytest.fixture
def report_of(tmp_path):
    def make(searcher, first_epoch=1):
        return _Report(searcher, Job(Recipe(), str(tmp_path), first_epoch=first_epoch))

    return make


def test_epochs_are_counted_from_one_and_told_again_by_a_later_process(report_of):
    searcher = Searcher(True, True)
    report = report_of(searcher)
    for epoch in (0, 1):
        report.on_epoch_end(epoch, {"val_accuracy": 0.5 + epoch})
    expected = [("epoch", 1, {"val_accuracy": 0.5}), ("epoch", 2, {"val_accuracy": 1.5})]
    assert searcher.heard == expected
    again = Searcher(True, False)
    assert not report_of(again).catch_up()
    assert again.heard == expected


def test_a_promotion_that_repeats_its_past_tells_its_own_epochs_alone(report_of):
    searcher = Searcher(True)
    report = report_of(searcher, first_epoch=3)
    assert report.catch_up()
    for epoch in range(3):
        report.on_epoch_end(epoch, {"val_accuracy": float(epoch)})
    assert searcher.heard == [("epoch", 3, {"val_accuracy": 2.0})]
