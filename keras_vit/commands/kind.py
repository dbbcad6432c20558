"""Tells models of text from models of images by what lies in or beside them, without loading them."""

import os
import zipfile


def is_text(path):
    """Whether a run folder, a model in one, a SavedModel folder or a `.tflite` file is of text."""
    if os.path.isdir(path):
        marks = ("vocabulary.json", os.path.join("assets.extra", "text.json"))
        return any(os.path.exists(os.path.join(path, mark)) for mark in marks)
    if str(path).endswith(".tflite"):
        return _holds_text(path)
    return os.path.exists(os.path.join(os.path.dirname(path), "vocabulary.json"))


def _holds_text(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return "text.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
