"""Hyperparameters that trials find while they build: in ledger and journal, after any interruption."""

import keras_tuner
import pytest

from keras_vit.training.tuning.builders.sent import Sent
from keras_vit.training.tuning.builders.space import BuilderSpace
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import WAIT, Ledger
from keras_vit.training.tuning.state.oracles import build_oracle

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
OBJECTIVE = ("val_loss", "min")


def declare(hp):
    """What a builder declares: a number of layers, and a size for each."""
    return [hp.Choice(f"units_{number}", [2, 4, 8]) for number in range(hp.Choice("layers", [1, 2, 3]))]


def declare_in_scopes(hp):
    """The same below a condition."""
    hp.Choice("kind", ["deep", "wide"])
    with hp.conditional_scope("kind", ["deep"]):
        layers = hp.Choice("layers", [1, 2, 3]) or 1
        units = [hp.Choice(f"units_{number}", [2, 4, 8]) or 1 for number in range(layers)]
    with hp.conditional_scope("kind", ["wide"]):
        return [*units, hp.Choice("width", [16, 32]) or 0]


def ledger_of(path, tuner, trials=14, declare=declare):
    space = BuilderSpace(Sent("tests:build"), {"train": None, "validation": None}, OBJECTIVE, given_epochs=9)
    hp = keras_tuner.HyperParameters()
    declare(hp)
    space.add(hp.get_config())
    oracle = build_oracle(tuner, space, OBJECTIVE, trials=trials, seed=0)
    journal = Journal(path, lambda line: None)
    return Ledger(oracle, journal, journal.read(), seed=0)


def train(ledger, record, declare=declare):
    hp = keras_tuner.HyperParameters()
    hp.values = dict(record.values)
    units = declare(hp)
    ledger.discovered(record.id, hp.get_config()["space"], hp.values)
    first = record.values.get("tuner/initial_epoch", 0) + 1
    for epoch in range(first, (record.until_epoch or 9) + 1):
        if not ledger.report(record.id, epoch, {"val_loss": 1 / sum(units) + 1 / epoch}):
            break
    ledger.end(record.id, seconds=0.0)


def finish(ledger, declare=declare):
    while (record := ledger.next()) is not None:
        assert record is not WAIT
        train(ledger, record, declare)
    return list(ledger.records.values())


@pytest.mark.parametrize("declare", [declare, declare_in_scopes])
@pytest.mark.parametrize("tuner", ["random", "grid", "hyperband", "asha", "bayesian"])
def test_a_search_cut_anywhere_finds_the_same_hyperparameters(tmp_path, tuner, declare):
    whole = finish(ledger_of(tmp_path / "whole", tuner, declare=declare), declare)
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    assert any(b'"discovered"' in line for line in lines)
    for cut in range(1, len(lines), 13):
        path = tmp_path / f"cut{cut}"
        path.write_bytes(b"".join(lines[:cut]) + lines[cut][:9])
        assert finish(ledger_of(path, tuner, declare=declare), declare) == whole
        assert path.read_bytes() == b"".join(lines)


def test_later_trials_are_proposed_with_what_earlier_ones_found(tmp_path):
    records = finish(ledger_of(tmp_path / "journal", "random"))
    found = next(number for number, record in enumerate(records) if "units_1" in record.values)
    assert all("units_1" in record.values for record in records[found + 1 :])
    assert len({record.values["units_1"] for record in records[found + 1 :]}) > 1


def test_a_grid_contains_the_sizes_of_every_layer(tmp_path):
    records = finish(ledger_of(tmp_path / "journal", "grid", trials=100))
    used = {tuple(r.values[f"units_{n}"] for n in range(r.values["layers"])) for r in records}
    assert len(used) == 3 + 9 + 27


def test_a_space_without_news_is_not_in_the_journal(tmp_path):
    ledger = ledger_of(tmp_path / "journal", "random")
    record = ledger.next()
    hp = keras_tuner.HyperParameters()
    hp.values = {**record.values, "layers": 1}
    declare(hp)
    ledger.discovered(record.id, hp.get_config()["space"], hp.values)
    assert b"discovered" not in (tmp_path / "journal").read_bytes()
