import collections

import pytest

from keras_vit import InputError
from keras_vit.errors import DataWarning
from keras_vit.training.text.corpus import load_text

LINES = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "text.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"text:{path}"

    return write


def test_the_names_are_the_published_list():
    data = load_text("names", lowercase=True)
    names = collections.Counter((*data.train, *data.validation, *data.test))
    assert names.total() == 1536 and names["skeleton"] == 3
    assert data.vocabulary.characters == "\nabcdefghijklmnopqrstuvwxyz"
    assert data.window == max(map(len, names)) + 1
    assert len(load_text("names").vocabulary) > 27  # as they are written: with capital letters


def test_equal_lines_are_never_in_two_splits_and_fractions_are_kept(write):
    data = load_text(write("\n".join(LINES + LINES[:30] + LINES[:10])), test_fraction=0.25)
    sides = [set(data.train), set(data.validation), set(data.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert len(data.test) == 26 and len(data.train) + len(data.validation) + len(data.test) == 104


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_lines(write):
    first = load_text(write("\n".join(LINES)))
    turned = load_text(write("\r\n".join(["", *LINES[::-1], " ", ""])))
    assert set(first.test) == set(turned.test)
    assert set(first.test) != set(load_text(write("\n".join(LINES)), seed=1).test)


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_the_rows_of_a_table_are_told(write, mark, recwarn):
    with pytest.warns(DataWarning, match=r"looks like a table: 65 of 65 lines have as many \w+ \(1\)"):
        rows = [f"name{mark}language", *(f"{line}{mark}x" for line in LINES)]
        load_text(write("\n".join(rows)), unknown="unk")
    recwarn.clear()
    load_text(write("\n".join(f"{line}{mark}x" if n % 8 else line for n, line in enumerate(LINES))))
    assert not recwarn.list


def test_running_text_is_cut_in_order_and_nothing_is_lost(write):
    text = "".join(f"{number} sheep,\n" for number in range(100))
    data = load_text(write(text), lines=False, window=16, test_fraction=0.2)
    assert data.train[0] + data.validation[0] + data.test[0] == text
    assert len(data.test[0]) == round(0.2 * len(text))
    assert load_text(write(text * 9), lines=False).window == 128


def test_a_byte_order_mark_is_no_character_and_letters_are_lowered_on_demand(write):
    data = load_text(
        write(b"\xef\xbb\xbf" + "\n".join(line.upper() for line in LINES).encode()), lowercase=True
    )
    assert data.vocabulary.characters == "\nabcdefgh"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, "is empty"),
        (b" \n\n\t", {}, "is empty"),
        ("Stra\xdfe".encode("latin-1") * 20, {}, "to be UTF-8, but byte 4 is not"),
        ("one line of text", {}, "lines=false"),
        ("same\n" * 50, {}, "10 different lines"),
        ("\n".join([*LINES, "a" * 600]), {}, "has 600 characters .* Set window=601, or lines=false"),
        ("\n".join([*LINES, "abcabc"]), {"window": 4}, "window of 4 .* Set window=7"),
        ("short", {"lines": False}, "more text than one window of 128"),
        ("0123456789" * 4, {"lines": False, "window": 16}, "the test split .* has 4"),
        (
            "ab" * 50 + "q",
            {"lines": False, "window": 4},
            "test split contains characters .* 'q'. Set unknown=unk",
        ),
    ],
)
def test_text_that_cannot_be_trained_on_is_refused_by_name(write, content, options, message):
    with pytest.raises(InputError, match=message):
        load_text(write(content), **options)


@pytest.mark.parametrize("spec", ["digits", "text:", "text", "names:x"])
def test_an_unknown_spec_is_answered_with_the_known_ones(spec):
    with pytest.raises(InputError, match="names or text:PATH"):
        load_text(spec)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.txt", tmp_path):
        with pytest.raises(InputError, match="Expected a text file"):
            load_text(f"text:{path}")
