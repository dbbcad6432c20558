import pytest

from keras_vit.models import char_rnn
from keras_vit.text.likelihood import text_figures
from keras_vit.text.readers import reader_of
from keras_vit.text.vocabulary import build_vocabulary


@pytest.mark.parametrize("separator", ["\N{LINE SEPARATOR}", "\f", "\x85"])
def test_only_a_newline_ends_a_line_as_in_training(separator):
    text = f"ab{separator}{separator}c\nd\n"
    vocabulary = build_vocabulary([text])
    reader = reader_of(char_rnn("simple", vocabulary_size=len(vocabulary), hidden_dim=4))
    assert text_figures(reader, vocabulary, text, lines=True)["num_characters"] == len("ab||c\nd\n")
