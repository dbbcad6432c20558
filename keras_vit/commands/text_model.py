"""Opens a character model in any of its forms."""

import os


def is_exported(path):
    """Whether a path is a file or folder that `keras-vit export` wrote, and no run."""
    return path.endswith(".tflite") or os.path.exists(os.path.join(path, "saved_model.pb"))


def open_text_model(path):
    """Returns what reads tokens for a model, its Vocabulary, and whether it is of lines.

    Args:
        path: str, a run folder, its `model.keras`, a SavedModel folder or a `.tflite` file.

    Raises:
        InputError: no model of text lies there.
    """
    if is_exported(path):
        from keras_vit.export.text.readers import load_text_reader

        reader = load_text_reader(path)
        return reader, reader.description.vocabulary, reader.description.lines
    from keras_vit.training.text.generate_run import load_text_run

    reader, vocabulary, recipe = load_text_run(path if os.path.isdir(path) else os.path.dirname(path))
    return reader, vocabulary, recipe.lines
