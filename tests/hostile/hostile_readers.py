"""The readers that meet bad inputs, and the verdict on what they do."""

import dataclasses
import resource
import sys
import tempfile
from pathlib import Path

from hostile_case import Place

from keras_vit.errors import ConditionError, InputError

MEMORY = 1500  # MB that a reader may need beyond what it had; a photograph of 179 megapixels needs them
LONGEST_MESSAGE = 1000  # letters, besides the name of the file
CLEAN, ALLOWED, OTHER = "clean error", "allowed success", "other"


def read_npz(path):
    from training.data import load_data

    data = load_data(f"npz:{path}")
    return data.label_names, [
        getattr(data, name).images.tobytes() for name in ("train", "validation", "test")
    ]


def read_folder(path):
    from training.data import load_data

    return load_data(f"folder:{path}", image_size=16)


def read_image(path):
    from keras_vit.images import read_image

    return read_image(path)


def read_safetensors(path):
    from keras_vit.pretrained.safetensors_file import SafetensorsFile

    tensors = SafetensorsFile([path])
    return {name: tensors[name] for name in tensors.names()}


def read_keras(path):
    from keras_vit.model_archive import load_model

    return load_model(path)


def read_predictor(path):
    from export.predictor import load_predictor

    return load_predictor(path)


def read_recipe(path):
    from training.recipe import load_recipe

    return load_recipe(path)


READERS = {
    "image": read_image,
    "folder": read_folder,
    "npz": read_npz,
    "safetensors": read_safetensors,
    "keras": read_keras,
    "tflite": read_predictor,
    "predictor keras": read_predictor,
    "predictor tflite": read_predictor,
    "recipe": read_recipe,
}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`outcome` is LONGEST_MESSAGE = 1000  # letters, besides the name of the file
    CLEAN, ALLOWED or OTHER; `detail` the message, or what went wrong."""

    outcome: str
    detail: str


def judge(case, good, references):
    """Writes a case into a folder of its own and reads it.

    Args:
        case: Case.
        good: dict of the bytes of good files.
        references: dict of what each reader returns for the whole file.
    """
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        place = Place(Path(folder) / "in", good)
        place.folder.mkdir()
        sys.path.insert(0, str(place.folder))
        try:
            _put_module(place)
            verdict = _outcome(case, place, references)
        finally:
            sys.path.remove(str(place.folder))
            sys.modules.pop("hostile_import", None)
        sprung = [path for path in (place.sentinel, Path(folder, "sprung"), Path("sprung")) if path.exists()]
        return Verdict(OTHER, f"code was run: {sprung}") if sprung else verdict


def _put_module(place):
    """What imports this module from a file's word has run a stranger's code."""
    place.put("hostile_import.py", f"import os\nos.mkdir({str(place.sentinel)!r})\n")


def _outcome(case, place, references):
    path, before = case.write(place), _peak()
    try:
        result = READERS[case.reader](path)
    except (InputError, ConditionError) as error:
        verdict = _of_message(str(error).replace(str(path), path.suffix))
    except Exception as error:
        return Verdict(OTHER, f"{type(error).__name__}: {str(error)[:200]}")
    else:
        right = case.allowed(result, references.get(case.reader))
        verdict = Verdict(ALLOWED if right else OTHER, "read" if right else "read without a word")
    grown = (_peak() - before) // 1024
    return Verdict(OTHER, f"needed {grown:,} MB") if grown > MEMORY else verdict


def _of_message(message):
    lines = len(message.splitlines())
    if lines != 1 or len(message) > LONGEST_MESSAGE:
        return Verdict(OTHER, f"a message of {lines} lines and {len(message):,} letters: {message[:200]}")
    return Verdict(CLEAN, message)


def _peak():
    """Peak memory of this process and of those that it waited for, in kB."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
