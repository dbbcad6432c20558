"""New text from a run folder."""

from keras_vit.errors import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.text.generation import generate
from keras_vit.text.readers import reader_of
from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tasks import task_of
from keras_vit.training.text.novelty import novelty


def generate_from_run(run_dir, num_samples=10, **options):
    """Draws texts from a run's best model.

    Args:
        run_dir: str or Path of the run folder.
        num_samples: int.
        **options: temperature, top_k, top_p, prefix, seed, max_length, as in `generate`.

    Returns:
        `(samples, figures)`: list of str, and dict of `novelty`, or None for running text or where the
        corpus of the run is no longer there.

    Raises:
        InputError: no trained run on text lies there, or an option out of its range.
    """
    reader, vocabulary, recipe = load_text_run(run_dir)
    samples = generate(reader, vocabulary, num_samples, stop=recipe.lines, **options)
    return samples, _novelty(samples, recipe)


def load_text_run(run_dir):
    """Loads what reads tokens for a run's best model, its Vocabulary and its Recipe.

    Raises:
        InputError: no trained run on text lies there.
    """
    folder = RunFolder(run_dir)
    folder.check_trained()
    if not folder.vocabulary.is_file():
        raise InputError(f"Expected a run on text, but {folder.path} has no vocabulary.json.")
    recipe = load_recipe(folder.recipe)
    model, vocabulary = load_model(folder.model), Vocabulary.load(folder.vocabulary)
    if model.output_shape[-1] != len(vocabulary):
        raise InputError(
            f"Expected {folder.vocabulary} to have the {model.output_shape[-1]} tokens of its model, "
            f"received {len(vocabulary)}. Restore the file of its own training."
        )
    return reader_of(model), vocabulary, recipe


def _novelty(samples, recipe):
    try:
        data = task_of(recipe).load_data()
    except InputError:
        return None
    return novelty(samples, data.train) if data.lines else None
