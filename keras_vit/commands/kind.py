"""What a path contains: a run or an export, of images, of text or of pairs of texts."""

import os

from keras_vit.export.variants import is_exported


def kind_of(path: str) -> str:
    """Returns `"images"`, `"text"` or `"pairs"`: what a run's recipe states, or an exported file records."""
    if is_exported(path):
        from keras_vit.export.text.description import PairDescription, TextDescription

        kinds = {"pairs": PairDescription, "text": TextDescription}
        return next((kind for kind, description in kinds.items() if description.is_in(path)), "images")
    recipe = os.path.join(_run_folder(path), "recipe.json")
    if not os.path.exists(recipe):  # a .keras file of another origin
        return "images"
    from keras_vit.training.recipe_file import load_recipe
    from keras_vit.training.tasks import task_of

    return task_of(load_recipe(recipe)).kind


def open_text_model(path: str):
    """Returns what reads tokens for a model of text, its Vocabulary, and whether each line is one sample."""
    if is_exported(path):
        from keras_vit.export.text.readers import load_text_reader

        reader = load_text_reader(path)
        return reader, reader.description.vocabulary, reader.description.lines
    from keras_vit.training.text.run import load_text_run

    reader, vocabulary, recipe = load_text_run(_run_folder(path))
    return reader, vocabulary, recipe.lines


def open_pair_model(path: str):
    """Returns what reads sources and writes targets for a model of pairs of texts, and its Vocabulary."""
    if is_exported(path):
        from keras_vit.export.pairs.readers import load_pair_reader

        reader = load_pair_reader(path)
        return reader, reader.description.vocabulary
    from keras_vit.training.text.run import load_pair_run

    return load_pair_run(_run_folder(path))


def _run_folder(path):
    return path if os.path.isdir(path) else os.path.dirname(path)  # of a run's model.keras
