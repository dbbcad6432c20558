import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.text.vocabulary import Vocabulary, build_vocabulary


def test_text_survives_its_tokens_and_the_newline_is_the_first():
    vocabulary = build_vocabulary(["zab", "ä€"])
    assert vocabulary.characters == "\nabzä€"
    tokens = vocabulary.encode("\nbaz€")
    assert tokens.dtype == np.int32 and tokens.tolist() == [0, 2, 1, 3, 5]
    assert vocabulary.decode(tokens) == "\nbaz€"


def test_unseen_characters_are_named_or_have_a_token_by_choice():
    with pytest.raises(InputError, match=r"not seen: 'x', 'é'.*unknown=unk"):
        build_vocabulary(["ab"]).encode("aéxb")
    vocabulary = build_vocabulary(["aab", "b"], unknown="unk")
    assert vocabulary.encode("axb").tolist() == [1, 3, 2] and len(vocabulary) == 4
    assert vocabulary.decode([1, 3]) == "a\ufffd"
    assert vocabulary.symbols == ["\\n", "a", "b", "<unk>"]


def test_a_character_that_occurs_once_trains_the_unknown_token():
    assert build_vocabulary(["aab"], unknown="unk").characters == "\na"
    assert build_vocabulary(["aab"], unknown="error").characters == "\nab"


def test_a_vocabulary_survives_its_file_and_another_file_is_refused(tmp_path):
    path = tmp_path / "vocabulary.json"
    vocabulary = build_vocabulary(['ab"\\\u2028é'], unknown="unk")
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary
    for text in ('{"characters": "ab"}', '{"characters": ""}', "[]", '{"words": 3}'):
        path.write_text(text)
        with pytest.raises(InputError, match="Expected a vocabulary"):
            Vocabulary.load(path)
