"""New text, or answers, from a run folder of text or of pairs of texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_vit.errors import InputError, counted
from keras_vit.io.model_archive import load_model
from keras_vit.models.char_seq2seq import is_seq2seq
from keras_vit.text import generation
from keras_vit.text.readers import reader_of
from keras_vit.text.transduction import PairReader, transduce
from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tasks import task_of
from keras_vit.training.text.novelty import novelty


def generate(run_dir: str | Path, num_samples: int = 10, **options: Any) -> list[str]:
    """Draws texts from a run's best model.

    Args:
        run_dir: str or Path of the run folder, of a TextRecipe.
        num_samples: int from 1 to 100,000. Default: 10.
        **options: how characters are drawn.

            - `prefix`: str, the start of every text. Default: none.
            - `temperature`: float above 0, divides the logits: below 1 likely characters become likelier.
              Default: 1.
            - `top_k`: int, only that many of the likeliest characters may follow. Default: all.
            - `top_p`: float in (0, 1]; only the likeliest characters that together reach this probability
              may follow, after `top_k`. Default: all.
            - `seed`: int, at least 0. Default: 0.
            - `max_length`: int, characters of a text with its prefix. Default: 200.

    Returns:
        list of `num_samples` str.

    Raises:
        InputError: no trained run on text is there, or an option out of its range.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import TextRecipe, generate, train
        >>> recipe = TextRecipe(data="names", lowercase=True, hidden_dim=8, epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train(recipe, folder)
        ...     len(generate(folder, 3, prefix="tyr", max_length=8))
        3
    """
    reader, vocabulary, recipe = load_text_run(run_dir)
    return generation.generate(reader, vocabulary, num_samples, stop=recipe.lines, **options)


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


def generate_from_run(
    run_dir: str | Path, num_samples: int = 10, **options: Any
) -> tuple[list[str], dict[str, float] | None]:
    """As `generate`, with the `novelty` of the texts.

    The latter is None for running text, and where the corpus of the run is no longer there.
    """
    samples = generate(run_dir, num_samples, **options)
    try:
        data = task_of(load_recipe(RunFolder(run_dir).recipe)).load_data()
    except InputError:
        return samples, None
    return samples, novelty(samples, data.train) if data.lines else None


def load_text_run(run_dir: str | Path):
    """Loads the reader of a run's best model, its Vocabulary and its recipe."""
    folder, recipe, model, vocabulary = _load(run_dir, "text")
    if model.output_shape[-1] != len(vocabulary):
        raise InputError(
            f"Expected {folder.vocabulary} to have the {counted(model.output_shape[-1], 'token')} of its "
            f"model, received {len(vocabulary)}. Restore the file of its training."
        )
    return reader_of(model), vocabulary, recipe


def load_pair_run(run_dir: str | Path):
    """Loads the reader of a run's best model, and its Vocabulary."""
    folder, _, model, vocabulary = _load(run_dir, "pairs")
    if not is_seq2seq(model) or model.output_shape[-1] != len(vocabulary):
        raise InputError(
            f"Expected {folder.model} to be a char_seq2seq of the {counted(len(vocabulary), 'token')} of "
            f"{folder.vocabulary}, received one from {model.input_shape} to {model.output_shape}. Put the "
            "run's own files there."
        )
    return PairReader(model), vocabulary


def _load(run_dir, kind):
    """The folder, recipe, best model and Vocabulary of a run of a kind: `"text"` or `"pairs"`."""
    folder = RunFolder(run_dir)
    folder.check_trained()
    recipe = load_recipe(folder.recipe)
    found = task_of(recipe).kind
    if found != kind:
        words = {"images": "images", "text": "text", "pairs": "pairs of texts"}
        raise InputError(
            f"Expected a run on {words[kind]}, but {folder.path} was trained on {words[found]}."
            f"{' Ask it with keras-vit predict.' if found == 'pairs' else ''}"
        )
    return folder, recipe, load_model(folder.model), Vocabulary.load(folder.vocabulary)
