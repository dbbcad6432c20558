import math

import pytest

from keras_vit import ConditionError, InputError
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.space.space import build_space
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import WAIT, Ledger
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.state.records import FAILED, IMPOSSIBLE, MISFIT, ImpossibleSearch


def space(hp):
    hp.Choice("hidden_dim", [8, 16, 32, 64])
    hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    hp.Choice("randaugment_layers", [0, 1])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
SEARCH = Search(ImageRecipe(epochs=9, learning_rate=0.01), space)
SPACE = build_space(SEARCH)


def ledger_of(path, tuner, trials=12, seed=0, space=SPACE):
    oracle = build_oracle(tuner, space, ("val_accuracy", "max"), trials=trials, seed=seed)
    journal = Journal(path, lambda line: None)
    return Ledger(oracle, journal, journal.read(), seed)


def accuracy(record, epoch):
    """A plausible accuracy of a training: best at a rate of 0.01, better with every epoch."""
    distance = abs(math.log10(record.values["learning_rate"]) + 2)
    return (1 - 0.3 * distance) * (1 - 0.5**epoch) - 0.001 * record.values["hidden_dim"] / 64


def train(ledger, record):
    first = record.values.get("tuner/initial_epoch", 0) + 1
    for epoch in range(first, (record.until_epoch or 9) + 1):
        if not ledger.report(record.id, epoch, {"val_accuracy": accuracy(record, epoch)}):
            break
    ledger.end(record.id, seconds=0.0)


def finish(ledger):
    while (record := ledger.next()) is not None:
        assert record is not WAIT
        train(ledger, record)
    return list(ledger.records.values())


@pytest.mark.parametrize("tuner", ["random", "grid", "hyperband", "asha", "bayesian"])
def test_a_search_cut_anywhere_continues_as_if_never_stopped(tmp_path, tuner):
    whole = finish(ledger_of(tmp_path / "whole", tuner))
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    cuts = range(1, len(lines), 19)
    for cut in cuts:
        path = tmp_path / f"cut{cut}"
        path.write_bytes(b"".join(lines[:cut]) + lines[cut][:9])
        assert finish(ledger_of(path, tuner)) == whole
        assert path.read_bytes() == b"".join(lines)


def test_random_search_ends_with_its_trials_and_can_be_given_more(tmp_path):
    assert len(finish(ledger_of(tmp_path / "journal", "random", trials=3))) == 3
    assert len(finish(ledger_of(tmp_path / "journal", "random", trials=5))) == 5
    values = [record.values for record in ledger_of(tmp_path / "journal", "random").records.values()]
    assert values == [record.values for record in finish(ledger_of(tmp_path / "fresh", "random", trials=5))]


def test_a_grid_contains_all_combinations_and_starts_with_the_recipe(tmp_path):
    small = build_space(SEARCH, ["learning_rate=0.1,0.01", "randaugment_layers=0", "hidden_dim=8,16,32"])
    records = finish(ledger_of(tmp_path / "journal", "grid", trials=100, space=small))
    assert records[0].values["learning_rate"] == 0.01
    assert len(records) == len({tuple(record.values.items()) for record in records}) == 6


def test_hyperband_continues_the_best_in_their_own_runs(tmp_path):
    records = {record.id: record for record in finish(ledger_of(tmp_path / "journal", "hyperband"))}
    promoted = [record for record in records.values() if record.root != record.id]
    assert promoted
    for record in promoted:
        past = records[record.values["tuner/trial_id"]]
        assert record.seed == past.seed and record.root == past.root and record.fields == past.fields
        assert min(record.epochs) == max(past.epochs) + 1


def test_hyperband_starts_another_trial_for_one_that_does_not_fit(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "hyperband")
    for _ in range(4):
        ledger.end(ledger.next().id, 0.0, MISFIT, "too large")
    trained = [record for record in finish(ledger) if record.is_scored]
    assert len(trained) == ledger.oracle.planned()
    assert max(max(record.epochs) for record in trained) == 9


def test_asha_stops_unpromising_trials_and_trains_the_best_to_the_end(tmp_path):
    records = finish(ledger_of(tmp_path / "journal", "asha", trials=27))
    stopped = [record for record in records if record.status == "stopped"]
    assert len(records) == 27 and 9 <= len(stopped) <= 24
    best = max(records, key=lambda record: accuracy(record, 9))
    assert max(best.epochs) == 9
    spent = sum(max(record.epochs) for record in records)
    assert spent < 0.7 * 27 * 9


def test_models_that_exceed_a_limit_are_not_counted_as_trials(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "random", trials=4)
    ledger.end(ledger.next().id, 0.0, MISFIT, "too large")
    assert sum(record.is_scored for record in finish(ledger)) == 4


def test_limits_that_nothing_meets_end_the_search_with_the_smallest_found(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "random", trials=50)
    with pytest.raises(InputError, match=r"None of 30 models .* parameters 100[,;.]"):
        for number in range(100):
            record = ledger.next()
            ledger.measured(record.id, {"parameters": 129 - number})
            ledger.end(record.id, 0.0, MISFIT, "too large")


def test_a_search_ends_after_too_many_consecutive_failures(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "random", trials=50)
    with pytest.raises(ConditionError, match="trial 0004 because: no such data"):
        for _ in range(20):
            ledger.end(ledger.next().id, 0.0, FAILED, "no such data")


def test_an_epoch_reported_twice_counts_once(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "random")
    record = ledger.next()
    for value in (0.5, 0.5):
        ledger.report(record.id, 1, {"val_accuracy": value})
    assert (tmp_path / "journal").read_bytes().count(b'"epoch"') == 2  # the event's name and its field


def test_every_trial_has_its_own_seed(tmp_path):
    records = finish(ledger_of(tmp_path / "a", "random"))
    assert len({record.seed for record in records}) == len(records)
    others = finish(ledger_of(tmp_path / "b", "random", seed=1))
    assert not {record.seed for record in records} & {record.seed for record in others}


@pytest.mark.parametrize(
    "event",
    [
        {"event": "sold", "trial": "0000"},
        {"event": "measured", "trial": "0007", "footprint": {}},
        {"event": "created", "trial": "0000"},
        {"event": ["created"]},
        {},
    ],
)
def test_an_event_that_no_search_wrote_is_refused(tmp_path, event):
    Journal(tmp_path / "journal").append(event)
    with pytest.raises(InputError, match="event 1 of its trials cannot be replayed"):
        ledger_of(tmp_path / "journal", "random")


def test_what_no_trial_can_do_ends_a_search_without_scores_and_fails_a_trial_of_others(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "random")
    first, second = ledger.next(), ledger.next()
    with pytest.raises(ImpossibleSearch, match="not logged"):
        ledger.end(first.id, 1.0, IMPOSSIBLE, "not logged")
    train(ledger, first)
    ledger.end(second.id, 1.0, IMPOSSIBLE, "not logged")
    assert (second.status, second.reason) == (FAILED, "not logged")


@pytest.mark.parametrize("tuner", ["random", "grid", "hyperband", "asha", "bayesian"])
def test_trials_that_failed_before_their_training_are_tried_again(tmp_path, tuner):
    ledger = ledger_of(tmp_path / "journal", tuner)
    with pytest.raises(ConditionError, match="The last 5 trials failed"):
        for _ in range(20):
            ledger.end(ledger.next().id, 1.0, FAILED, "a wrong builder")
    again = ledger_of(tmp_path / "journal", tuner)
    values = [record.values for record in ledger.records.values()]
    assert again.again == list(ledger.records) and len(values) == 5
    assert [record.status for record in again.records.values()] == [None] * 5
    records = finish(again)
    assert [record.values for record in records[:5]] == values
    assert all(record.is_scored for record in records)
    assert ledger_of(tmp_path / "journal", tuner).records == again.records
    if tuner == "hyperband":
        assert any(record.first_epoch > 1 and int(record.root) < 5 for record in records)  # one is promoted


def test_a_trial_whose_training_failed_is_not_tried_again_but_five_others_are(tmp_path):
    for number in range(2):
        ledger = ledger_of(tmp_path / "journal", "random", trials=50)
        with pytest.raises(ConditionError, match=f"trial 000{4 + 5 * number} because: a wrong metric"):
            for _ in range(20):
                record = ledger.next()
                ledger.measured(record.id, {"parameters": 9})
                ledger.end(record.id, 1.0, FAILED, "a wrong metric")
    assert not ledger_of(tmp_path / "journal", "random", trials=50).again
