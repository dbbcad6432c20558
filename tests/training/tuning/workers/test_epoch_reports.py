"""The reports of a trial about its epochs."""

import json

import pytest

from keras_vit.training.tuning.workers.epoch_reports import EpochReports


class Search:
    """The other end of the connection: collects the messages, and sends the answers that it was given."""

    def __init__(self, *answers):
        self.messages = []
        self.answers = list(answers)

    def send(self, message):
        self.messages.append(message)

    def recv(self):
        return self.answers.pop(0)


@pytest.fixture
def reports_to(tmp_path):
    return lambda search, first_epoch=1: EpochReports(search, tmp_path, first_epoch)


def test_epochs_are_counted_from_one_and_reported_again_by_a_later_process(reports_to):
    search = Search(True, True)
    reports = reports_to(search)
    for epoch in (0, 1):
        reports.on_epoch_end(epoch, {"val_accuracy": 0.5 + epoch})
    expected = [("epoch", 1, {"val_accuracy": 0.5}), ("epoch", 2, {"val_accuracy": 1.5})]
    assert search.messages == expected
    again = Search(True, False)
    assert not reports_to(again).catch_up()
    assert again.messages == expected


def test_a_promotion_that_repeats_its_past_reports_its_own_epochs_alone(reports_to):
    search = Search(True)
    reports = reports_to(search, first_epoch=3)
    assert reports.catch_up()
    for epoch in range(3):
        reports.on_epoch_end(epoch, {"val_accuracy": float(epoch)})
    assert search.messages == [("epoch", 3, {"val_accuracy": 2.0})]


def test_a_trial_of_version_0_1_0_is_resumed_with_the_epochs_that_it_reported(reports_to, tmp_path):
    (tmp_path / "told.json").write_text(json.dumps([{"val_accuracy": 0.5}]))
    search = Search(True, True)
    reports = reports_to(search)
    assert reports.catch_up()
    reports.on_epoch_end(1, {"val_accuracy": 0.75})
    assert search.messages == [("epoch", 1, {"val_accuracy": 0.5}), ("epoch", 2, {"val_accuracy": 0.75})]
    again = Search(True, True)
    reports_to(again).catch_up()
    assert again.messages == search.messages
