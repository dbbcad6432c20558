"""Answers from a run folder of pairs of texts."""

from collections.abc import Sequence
from pathlib import Path

from keras_vit.errors import InputError, counted
from keras_vit.io.model_archive import load_model
from keras_vit.models.char_seq2seq import is_seq2seq
from keras_vit.text.transduction import PairReader, transduce
from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.text.generate_run import check_kind


def answer(run_dir: str | Path, sources: Sequence[str]) -> list[str]:
    """Returns what a run's best model writes for each source: always the likeliest character.

    Args:
        run_dir: str or Path of the run folder, of a PairRecipe.
        sources: sequence of str, texts of one line, not longer than those that the run was trained for.

    Returns:
        list of str.

    Raises:
        InputError: no trained run on pairs of texts is there, or a source that its model cannot read.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import PairRecipe, answer, train
        >>> recipe = PairRecipe(data="dates", num_pairs=300, hidden_dim=8, epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train(recipe, folder)
        ...     len(answer(folder, ["3 May 1979", "Friday, 4 June 1999"]))
        2
    """
    return transduce(*load_pair_run(run_dir), sources)


def load_pair_run(run_dir: str | Path):
    """Loads the reader of a run's best model, and its Vocabulary."""
    folder = RunFolder(run_dir)
    folder.check_trained()
    check_kind(load_recipe(folder.recipe), "pairs", folder)
    model, vocabulary = load_model(folder.model), Vocabulary.load(folder.vocabulary)
    if not is_seq2seq(model) or model.output_shape[-1] != len(vocabulary):
        raise InputError(
            f"Expected {folder.model} to be a char_seq2seq of the {counted(len(vocabulary), 'token')} of "
            f"{folder.vocabulary}, received one from {model.input_shape} to {model.output_shape}. Put the "
            "run's own files there."
        )
    return PairReader(model), vocabulary
