"""The readers that bad inputs are given to, and the check of what they do."""

import dataclasses
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
from hostile_case import Place

from keras_vit.errors import ConditionError, InputError

MEMORY = 1500  # MB that a reader may add; a photograph of 179 megapixels needs them
MAX_MESSAGE_LENGTH = 1000  # letters, without the name of the file
CLEAN, ALLOWED, OTHER = "clean error", "allowed success", "other"


def read_npz(path):
    from keras_vit.training.data import load_data

    data = load_data(f"npz:{path}")
    return data.label_names, [
        getattr(data, name).images.tobytes() for name in ("train", "validation", "test")
    ]


def read_folder(path):
    from keras_vit.training.data import load_data

    return load_data(f"folder:{path}", image_size=16)


def read_image(path):
    from keras_vit.io.images import read_image

    return read_image(path)


def read_safetensors(path):
    from keras_vit.pretrained.safetensors_file import read_safetensors

    return {name: tensor.read() for name, tensor in read_safetensors([path]).items()}


def read_keras(path):
    from keras_vit.io.model_archive import load_model

    return load_model(path)


def read_predictor(path):
    from keras_vit.export import load_predictor

    return load_predictor(path)


def read_recipe(path):
    from keras_vit.training.recipe_file import load_recipe

    return load_recipe(path)


def read_checkpoint(path):
    from keras_vit import pretrained

    model = pretrained.load(path)
    model(np.zeros((1, *model.input_shape[1:]), "float32"))
    model.preprocessing(np.zeros((9, 7, 3), "uint8"))
    return model


def read_state(path):
    from keras_vit.training.checkpoint import RunState
    from keras_vit.training.devices import Engine

    return RunState(path, 2, [], None, None, None, Engine()).load()


def read_journal(path):
    from keras_vit.training.tuning.state.header import check_same
    from keras_vit.training.tuning.state.journal import Journal
    from keras_vit.training.tuning.state.ledger import Ledger
    from keras_vit.training.tuning.state.oracles import build_oracle

    plan, journal = _search(), Journal(path, lambda line: None)
    events = journal.read()
    if not events:  # a search that had not started
        return 0
    check_same(events[0], search_header(), path)
    oracle = build_oracle(plan.tuner, plan.space, plan.objective, trials=plan.trials, seed=plan.seed)
    return len(Ledger(oracle, journal, events[1:], plan.seed).records)


def search_header():
    """The first event of the journal of the search that `read_journal` continues."""
    from keras_vit.training.tuning.state.header import header_of

    return header_of(_search(), 1)


def _search():
    from keras_vit.training.tuning.plan import plan

    return plan("vit_digits")


def read_history(path):
    from keras_vit.training.report.history import read_history

    return read_history(path)


def read_vocabulary(path):
    from keras_vit.text import Vocabulary

    return Vocabulary.load(path)


def read_preprocessing(path):
    from keras_vit.pretrained.run_source import run_preprocessing

    prepared = run_preprocessing(path.parent / "model.keras")
    return prepared(np.zeros((9, 7, 3), "uint8"))


def read_text(path):
    from keras_vit.training.text.corpus import load_text

    return load_text(f"text:{path}")


def read_tfds(path):
    from keras_vit.training.data import load_data

    return load_data("tfds:hostile_photos", data_dir=path, image_size=8)


READERS = {
    "image": read_image,
    "folder": read_folder,
    "npz": read_npz,
    "safetensors": read_safetensors,
    "keras": read_keras,
    "tflite": read_predictor,
    "predictor keras": read_predictor,
    "predictor tflite": read_predictor,
    "saved model": read_predictor,
    "recipe": read_recipe,
    "checkpoint": read_checkpoint,
    "state": read_state,
    "journal": read_journal,
    "history": read_history,
    "vocabulary": read_vocabulary,
    "preprocessing": read_preprocessing,
    "text": read_text,
    "tfds": read_tfds,
}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`outcome` is CLEAN, ALLOWED or OTHER; `detail` the message, or the fault."""

    outcome: str
    detail: str


def judge(case, good, references):
    """Writes a case into its own folder and reads it.

    Args:
        case: Case.
        good: dict of the bytes of good files.
        references: dict of what each reader returns for the intact file.
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
        verdict = Verdict(ALLOWED if right else OTHER, "read" if right else "read without an error")
    grown = (_peak() - before) // 1024
    return Verdict(OTHER, f"needed {grown:,} MB") if grown > MEMORY else verdict


def _of_message(message):
    lines = len(message.splitlines())
    if lines != 1 or len(message) > MAX_MESSAGE_LENGTH:
        return Verdict(OTHER, f"a message of {lines} lines and {len(message):,} letters: {message[:200]}")
    return Verdict(CLEAN, message)


def _peak():
    """Peak memory of this process and of those that it waited for, in kB."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
