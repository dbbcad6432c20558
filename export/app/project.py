"""Copies the projects of an Android and an iOS app, with a model in place."""

import shutil
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.export.model.description import NAME as FACTS
from keras_vit.export.model.description import read_description
from keras_vit.export.verification.choose import fastest
from keras_vit.io.files import atomic_path

PROJECTS = Path(__file__).with_name("projects")
MODEL = "model.tflite"
PLACES = ("android/app/src/main/assets", "ios/Model")  # of the model and of what it takes and returns
LOCAL = ("build", ".gradle", "local.properties", "Pods", "*.xcodeproj", "*.xcworkspace", "Info.plist")


def check_app(path: str | Path) -> None:
    """Raises InputError before an export where the folder for the apps exists and is not empty."""
    path = Path(path)
    if path.is_file() or path.is_dir() and any(path.iterdir()):
        raise InputError(
            f"Expected a new or empty folder for the apps, but {path} is neither. Choose another."
        )


def write_app(rows: list[dict], folder: Path, path: str | Path) -> None:
    """Writes the projects of an Android and an iOS app with the fastest TFLite file of an export.

    Args:
        rows: as returned by `export_model`, of the export in `folder`, of a model of photographs.
        path: a new or empty folder.
    """
    check_app(path)
    row = fastest([r for r in rows if r["file"].endswith(".tflite") and (folder / r["file"]).is_file()])
    if row is None:
        raise InputError("Expected a TFLite file for the app: add --variant dynamic_int8 or fp32.")
    facts = read_description(folder / row["file"])
    if facts is None or facts.preprocessing is None or len(facts.outputs) != 1:
        raise InputError(
            f"Expected a file of photographs with one output for the app: {row['file']} is none."
        )
    with atomic_path(path, mark=FACTS) as temporary:
        shutil.copytree(PROJECTS, temporary, ignore=shutil.ignore_patterns(*LOCAL))
        for place in PLACES:
            (temporary / place).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / row["file"], temporary / place / MODEL)
            (temporary / place / FACTS).write_bytes(facts.to_bytes())
