"""Finds the model that a user names: one meaning of MODEL for all commands."""

import contextlib
import dataclasses
import os
from pathlib import Path

import keras

from keras_vit.commands.model_option import by_output
from keras_vit.errors import InputError
from keras_vit.export.variants import is_exported
from keras_vit.importing import import_named, is_name, user_code
from keras_vit.io.files import near_path
from keras_vit.io.label_names import read_label_names
from keras_vit.io.model_archive import load_model
from keras_vit.io.output_meaning import read_output_meaning
from keras_vit.io.preprocessing import Preprocessing, attached_preprocessing
from keras_vit.io.progress import working
from keras_vit.keras_internals import is_graph
from keras_vit.pretrained.checkpoint import READERS, located
from keras_vit.pretrained.hub import HUB_ID
from keras_vit.pretrained.run_source import MODEL, run_model_file, saved_preprocessing

EXPECTED = (
    "Expected a run folder, a .keras file, module:name or FILE.py:name of a model or of a function that "
    "returns one, or public weights (a hub id such as timm/NAME or that of a run that was pushed, a folder "
    "with config.json, a .safetensors or .npz file)"
)
WHAT = "a model, or a function that returns one"


@dataclasses.dataclass(frozen=True, eq=False)
class FoundModel:
    """A model, and what is known about it."""

    model: keras.Model
    name: str  # for names of files
    folder: Path  # where it lies; the current folder for one that is built or downloaded
    label_names: tuple | None = None  # of its classes
    preprocessing: Preprocessing | None = None  # of its images
    task: str | None = None  # what its one output means; None where that is not known
    activation: str | None = None  # that makes probabilities of its outputs; None where that is not known
    thresholds: tuple | None = None  # of several labels the least probability of each that holds
    none_below: float | None = None  # the probability of the best class below which it is no answer

    @property
    def inputs(self) -> tuple:
        """Its inputs as `keras_vit.export.model.signature.Tensor`s; of a subclass that was not built none."""
        from keras_vit.export.model.signature import Tensor, graph_signature

        if is_graph(self.model):
            return graph_signature(self.model).inputs
        built = (self.model.get_build_config() or {}) if self.model.built else {}
        shape = built.get("input_shape")
        return (Tensor("inputs", tuple(shape[1:]), "float32"),) if shape else ()

    def meaning(self, options):
        """Returns the arguments `task` and `activation` of an export: as given, otherwise as known."""
        task, activation = by_output(options.task), by_output(options.activation)
        if task is None and activation is None:
            task, activation = self.task, self.activation
        return {"task": task, "activation": activation}


def find_model(name: str) -> FoundModel:
    """Returns the model in a run folder, a `.keras` file, a Python object or public weights.

    Raises:
        InputError: there is none, it is damaged or unsafe, it needs layers that are not registered, or the
            user's code raises an error or returns something else.
    """
    if os.path.isfile(os.path.join(name, MODEL)):
        return _from_file(Path(name, MODEL), Path(name))
    if name.endswith(".keras"):
        return _from_file(Path(name), Path(name).with_suffix(""))
    if is_exported(name):
        raise InputError(f"{name} is an exported file. Give the model that it was made from: {EXPECTED[9:]}.")
    if is_name(name):
        return _from_code(name)
    if os.path.exists(name) or HUB_ID.fullmatch(name) or Path(name).suffix in READERS:
        return _from_weights(name)
    raise InputError(f"{EXPECTED}; found none of these at {name}.")


def is_run(name: str) -> bool:
    """Returns whether a name is that of a run folder."""
    return os.path.isfile(os.path.join(name, "recipe.json"))


def _from_file(path, named):
    labels = path.parent / "labels.txt"
    with working(f"loading {path}"):
        model, meaning = load_model(path), None
    if is_run(path.parent):
        from keras_vit.export.model.calibration import calibrated

        meaning = read_output_meaning(path.parent)
        model = calibrated(model, meaning.temperature, meaning.sharpening)
    return FoundModel(
        model,
        os.path.basename(os.path.abspath(named)),
        path.parent,
        read_label_names(labels) if labels.is_file() else None,
        saved_preprocessing(path.parent),
        *((meaning.task, meaning.activation, meaning.thresholds, meaning.none_below) if meaning else ()),
    )


def _from_code(name):
    found = import_named(name, WHAT)
    if not isinstance(found, keras.Model):
        found = _built(found, name)
    return FoundModel(found, name.rpartition(":")[2].replace(".", "_"), Path())


def _built(build, name):
    if not callable(build):
        raise InputError(f"Expected {name} to be {WHAT}, received a {type(build).__name__}.")
    with user_code(f"{name}() failed: ", ". It is called without arguments.", f"{name}()"):
        model = build()
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected {name}() to return a keras.Model, received a {type(model).__name__}.")
    return model


def _from_weights(name):
    from keras_vit.pretrained import load
    from keras_vit.pretrained.checkpoint import class_names

    is_here = os.path.exists(name)  # a download shows its own progress
    try:
        with working(f"loading {name}") if is_here else contextlib.nullcontext():
            place = located(name)
            file = None if is_here else run_model_file(place)
            model = load(place) if file is None else None
    except InputError as error:
        if is_here:
            raise
        near = near_path(Path(name))
        raise InputError(f"No file or folder {name} here.{near} As public weights: {error}") from error
    if file is not None:
        return dataclasses.replace(_from_file(file, Path(name.partition("@")[0])), folder=Path())
    has_head = any(layer.name == "head" for layer in model.layers)
    names = class_names(place, model.output_shape[-1]) if has_head else None
    known = ("classification", "softmax") if has_head else ("embedding", None)
    stem = Path(name).stem if os.path.isfile(name) else os.path.basename(os.path.abspath(name))
    return FoundModel(model, stem.partition("@")[0], Path(), names, attached_preprocessing(model), *known)
