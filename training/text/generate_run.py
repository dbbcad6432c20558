"""New text from a run folder."""

from pathlib import Path
from typing import Any

from keras_vit.errors import InputError, counted
from keras_vit.io.model_archive import load_model
from keras_vit.text import generation
from keras_vit.text.readers import reader_of
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


def check_kind(recipe, kind: str, folder: RunFolder):
    """Raises InputError for the recipe of a run of another kind than `"text"` or `"pairs"`."""
    found = task_of(recipe).kind
    if found != kind:
        words = {"images": "images", "text": "text", "pairs": "pairs of texts"}
        raise InputError(
            f"Expected a run on {words[kind]}, but {folder.path} was trained on {words[found]}."
            f"{' Ask it with keras-vit predict.' if found == 'pairs' else ''}"
        )


def load_text_run(run_dir: str | Path):
    """Loads the reader of a run's best model, its Vocabulary and its recipe."""
    folder = RunFolder(run_dir)
    folder.check_trained()
    recipe = load_recipe(folder.recipe)
    check_kind(recipe, "text", folder)
    model, vocabulary = load_model(folder.model), Vocabulary.load(folder.vocabulary)
    if model.output_shape[-1] != len(vocabulary):
        raise InputError(
            f"Expected {folder.vocabulary} to have the {counted(model.output_shape[-1], 'token')} of its "
            f"model, received {len(vocabulary)}. Restore the file of its training."
        )
    return reader_of(model), vocabulary, recipe
