"""Experiments on text, and on pairs of texts."""

import dataclasses
from typing import Annotated

import keras_vit
from keras_vit.constraints import Choices, OnlyWith, Range
from keras_vit.errors import InputError
from keras_vit.training.common_recipe import MANY, SEEDS, Recipe
from keras_vit.training.own_parts import ChoicesOrOwn
from keras_vit.training.text.made_pairs import MAKERS
from keras_vit.training.text.pairs import NUM_PAIRS, Longest, NumPairs


@dataclasses.dataclass(frozen=True, init=False)
class TextRecipe(Recipe):
    """Everything that decides the training of a model of characters.

    Args:
        **fields: those of the page "Fields of recipes", and arguments of the model's builder.

    Raises:
        InputError: as `Recipe`.

    Example:
        >>> TextRecipe(data="names", model="char_rnn", cell="gru", hidden_dim=32).cell
        'gru'
    """

    _kind_of_data = "text"
    builders = {
        "char_rnn": keras_vit.models.char_rnn,
        "char_transformer": keras_vit.models.char_transformer,
    }

    # Data
    data: str = "names"  # or text:PATH
    lines: bool = True  # one item a line; False: running text
    split_seed: Annotated[int | None, SEEDS, OnlyWith("lines", True)] = None  # running text ends in the test
    lowercase: bool = False  # all text
    window: Annotated[int | None, Range(2, 2**16)] = None  # tokens; None: the longest line, running text 128
    unknown: Annotated[str, Choices("error", "unk")] = "error"  # characters that the training split lacks

    # Model
    model: str = "char_rnn"  # or char_transformer

    # Optimisation
    loss: Annotated[str, ChoicesOrOwn("cross_entropy")] = "cross_entropy"  # of each token
    carry_state: bool = False  # running text: char_rnn continues with the state of the batch before
    sample_every: Annotated[int | None, Range(1, MANY)] = None  # steps between samples; None: none

    def _check(self):
        super()._check()
        if self.model_options.get("bidirectional"):
            raise InputError(
                "bidirectional=true does not fit a model that generates text: its backward half reads the "
                "character that it should predict. Leave it out."
            )
        if self.carry_state and (self.lines or self.model != "char_rnn"):
            raise InputError("carry_state=true needs a char_rnn and running text: set lines=false.")


@dataclasses.dataclass(frozen=True, init=False)
class PairRecipe(Recipe):
    """Everything that decides the training of a model that reads one text and writes another.

    Args:
        **fields: those of the page "Fields of recipes", and arguments of the model's builder.

    Raises:
        InputError: as `Recipe`.

    Example:
        >>> PairRecipe(data="spelled_numbers", attention="dot", epochs=5).changed()
        {'data': 'spelled_numbers', 'epochs': 5, 'attention': 'dot'}
    """

    _kind_of_data = "pairs of texts"
    builders = {"char_seq2seq": keras_vit.models.char_seq2seq}

    # Data
    data: str = "dates"  # or spelled_numbers, which a program makes too, or pairs:FILE
    num_pairs: Annotated[NumPairs, OnlyWith("data", *MAKERS)] = NUM_PAIRS  # that a program makes
    lowercase: bool = False  # all text
    max_source: Longest = None  # characters; None: the longest of the data
    max_target: Longest = None  # characters; None: the longest of the data
    unknown: Annotated[str, Choices("error", "unk")] = "error"  # characters that the training split lacks

    # Model
    model: str = "char_seq2seq"  # the only one

    # Optimisation
    loss: Annotated[str, ChoicesOrOwn("cross_entropy")] = "cross_entropy"  # of each character of the target

    @classmethod
    def builder_of(cls, model):
        if model not in cls.builders:
            raise InputError(
                f"Expected model={' or '.join(cls.builders)}, whose parts write the target of a source, "
                f"received {model!r}."
            )
        return cls.builders[model]
