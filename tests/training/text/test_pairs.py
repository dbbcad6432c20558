import datetime
import re

import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.errors import DataWarning
from keras_vit.training import load_data
from keras_vit.training.text.made_pairs import MAKERS, made_pairs
from keras_vit.training.text.pairs import load_pairs

WORDS = [(f"w{number:03}", f"{number:03}w") for number in range(60)]


@pytest.fixture
def write(tmp_path):
    def write(text, name="pairs.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return f"pairs:{tmp_path / name}"

    return write


def table(rows, header=("source", "target"), separator=","):
    return "\n".join(separator.join(row) for row in (header, *rows))


@pytest.mark.parametrize("kind", MAKERS)
def test_made_pairs_are_decided_by_the_seed_and_a_source_has_one_meaning(kind):
    pairs = made_pairs(kind, 2000, seed=3)
    assert pairs == made_pairs(kind, 2000, seed=3) != made_pairs(kind, 2000, seed=4)
    meanings = {}
    for source, target in pairs + made_pairs(kind, 2000, seed=4):
        assert meanings.setdefault(source, target) == target
    assert len(pairs) == len({source for source, _ in pairs}) == 2000


def test_dates_name_the_day_that_they_mean():
    for source, target in made_pairs("dates", 3000, seed=0):
        date = datetime.date.fromisoformat(target)
        assert 1930 <= date.year <= 2029
        numbers = sorted(map(int, re.findall(r"\d+", source)))
        expected = {date.day, date.month, date.year, date.year % 100}
        assert set(numbers) <= expected and date.day in numbers
        words = re.findall(r"[a-z]{3,}", source.lower())
        assert date.month in numbers or date.strftime("%B").lower().startswith(tuple(words))
        if "," in source and words and words[0][:3] in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
            assert date.strftime("%A").lower().startswith(words[0])


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("zero", 0),
        ("seventeen", 17),
        ("forty-two", 42),
        ("four hundred and two", 402),
        ("two thousand and seven", 2007),
        ("one hundred and five thousand three hundred and forty-two", 105342),
    ],
)
def test_numbers_are_spelled_as_usual(words, number):
    from keras_vit.training.text.made_pairs import _in_words

    assert _in_words(number, " and ", "-") == words


def test_the_texts_of_a_day_are_in_one_split_and_those_of_a_source():
    data = load_pairs("dates", num_pairs=800, test_fraction=0.2)
    days = [{target for _, target in split} for split in (data.train, data.validation, data.test)]
    assert len(set.union(*days)) == sum(map(len, days))
    assert len(data.train) + len(data.validation) + len(data.test) == 800
    assert abs(len(data.test) - 160) < 10
    assert "no target is in two splits" in "\n".join(data.summary())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("named.csv", table([(t, "x", s) for s, t in WORDS], ("Target", "note", "Source"))),
        ("first.csv", table(WORDS, ("word", "turned"))),
        ("tabs.tsv", table(WORDS, ("a, b", "c, d"), "\t")),
        ("semicolons.csv", table(WORDS, separator=";")),
    ],
)
def test_the_columns_are_source_and_target_or_the_first_two(write, name, content):
    data = load_data(write(content, name))
    assert sorted(data.train + data.validation + data.test) == WORDS
    assert data.name == f"pairs:{name}" and (data.max_source, data.max_target) == (4, 4)
    assert "as source" in data.summary()[0]


def test_equal_sources_stay_together_and_several_targets_are_told(write):
    rows = [(f"s{number % 30}", f"t{number}") for number in range(60)]
    with pytest.warns(DataWarning, match="30 sources of pairs:pairs.csv with several targets, such as 's0'"):
        data = load_pairs(write(table(rows)))
    sources = [{source for source, _ in split} for split in (data.train, data.validation, data.test)]
    assert sum(map(len, sources)) == 30 and len(data.test) % 2 == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a row for each pair"),
        ("source,target\n", "a row for each pair"),
        ("source\na\nb\n", "Expected two columns, source and target"),
        (table([*WORDS, ("x", "")]), "received none in column 'target' of row 61"),
        (table([*WORDS, ("", "x")]), "received none in column 'source' of row 61"),
        (table([*WORDS, ('"a\nb"', "x")]), "a text of several lines in column 'source' of row 61"),
        (table([*WORDS, ("a", "b", "c")]), "2 values in each row"),
        (table(WORDS[:5]), "at least 10 different sources"),
        (table([*WORDS, ("x" * 600, "y")]), "A source of pairs:pairs.csv has 600 characters"),
        (table([*WORDS, ("y", "x" * 600)]), "Set max_target=600"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(write, content, message):
    with pytest.raises(InputError, match=message) as caught:
        load_pairs(write(content))
    assert "\n" not in str(caught.value)


def test_characters_that_training_lacks_are_refused_or_have_a_token(write):
    letters = [(chr(0x4E00 + number), "a") for number in range(40)]
    with pytest.raises(InputError, match="split contains characters that the training split does not"):
        load_pairs(write(table(letters)))
    data = load_pairs(write(table(letters)), unknown="unk")
    assert (data.vocabulary.encode(data.test[0][0]) == data.vocabulary.unknown_token).all()


def test_lengths_and_spellings_can_be_given(write):
    data = load_pairs(write(table([(s.upper(), t) for s, t in WORDS])), lowercase=True, max_source=9)
    assert (data.max_source, data.max_target) == (9, 4) and data.train[0][0].islower()
    with pytest.raises(InputError, match="Set max_source=4, or shorten it"):
        load_pairs(write(table(WORDS)), max_source=3)
    for spec in ("pairs:", "pears"):
        with pytest.raises(InputError, match="Unknown pairs|Unknown"):
            load_pairs(spec)
    with pytest.raises(InputError, match="found none"):
        load_pairs("pairs:/nowhere/x.csv")
    with pytest.raises(InputError, match="num_pairs"):
        load_pairs("dates", num_pairs=3)


def test_too_many_pairs_are_refused():
    with pytest.raises(InputError, match="fewer than 1,000 different x: lower num_pairs"):
        MAKERS["x"] = lambda random: ("a", "b")
        try:
            made_pairs("x", 1000, 0)
        finally:
            del MAKERS["x"]


def test_the_order_of_a_batch_is_that_of_seed_epoch_and_step():
    from keras_vit.training.text.batches import PairBatches

    data = load_pairs("spelled_numbers", num_pairs=100)
    batches = PairBatches(data, 16, seed=2)
    (source, so_far), following, weights = batches.batch(1, 2)
    again, _, _ = PairBatches(data, 16, seed=2).batch(1, 2)
    assert source.shape == (16, data.max_source) and so_far.shape == (16, data.max_target + 1)
    assert (again[0] == source).all() and not (batches.batch(2, 2)[0][0] == source).all()
    assert (so_far[:, 0] == 0).all() and (
        so_far[:, 1:] == np.where(following == 0, 0, following)[:, :-1]
    ).all()
    assert ((weights > 0).sum(axis=1) == (following != 0).sum(axis=1) + 1).all()
