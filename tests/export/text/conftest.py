"""A small character model with weights that make it prefer some characters, shared by the tests of text."""

import keras
import numpy as np
import pytest

from keras_vit.models.char_rnn import char_rnn
from keras_vit.models.char_transformer import char_transformer
from keras_vit.text import Vocabulary
from keras_vit.text.windows import line_windows

VOCABULARY = Vocabulary("\nabcdefg", unknown="unk")
WINDOW = 7
# The converter leaves weights of fewer than 1,024 numbers in float.
SIZES = {"vocabulary_size": len(VOCABULARY), "hidden_dim": 24, "seed": 0}
BUILDERS = {
    "gru": lambda: char_rnn("gru", num_layers=2, embedding_dim=5, dropout_rate=0.1, **SIZES),
    "lstm": lambda: char_rnn("lstm", num_layers=2, **SIZES),
    "simple": lambda: char_rnn("simple", **SIZES),
    "bfloat16": lambda: char_rnn("gru", embedding_dim=5, dtype="mixed_bfloat16", **SIZES),
    "transformer": lambda: char_transformer(length=WINDOW, num_layers=2, num_heads=3, qk_norm=True, **SIZES),
}


@pytest.fixture(scope="session")
def vocabulary():
    return VOCABULARY


@pytest.fixture(scope="session")
def windows():
    return line_windows(["abc", "gfedcb", "", "aa", "beg"], VOCABULARY, WINDOW)


@pytest.fixture(scope="session")
def build():
    """A function from a kind to a model whose logits differ by several nats."""

    def build(kind):
        keras.utils.set_random_seed(0)
        model = BUILDERS[kind]()
        random = np.random.default_rng(0)
        model.set_weights([w + random.normal(0, 0.4, w.shape) for w in model.get_weights()])
        # As a run saves it: with lists of one input and one output.
        return keras.Model(model.inputs, model.outputs, name=model.name)

    return build


@pytest.fixture(scope="session")
def model(build):
    return build("gru")
