"""One way to ask any form of a model: run folder, `.keras`, SavedModel or `.tflite`."""

import dataclasses
import functools
import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError, first_line
from keras_vit.export.images.app_input import as_input, whole_batch
from keras_vit.export.metadata.attach import attached_labels, was_trained_on_grey
from keras_vit.export.saved_model.check import check_saved_model
from keras_vit.export.workers.runner import run_worker
from keras_vit.io.files import what_lies_at
from keras_vit.io.json_files import read_json
from keras_vit.io.label_names import parse_label_names, read_label_names
from keras_vit.io.model_archive import load_model

BATCH = 64
CHECK_TIME_LIMIT = 300  # seconds
MOST_NUMBERS = 2**27  # of one image
SUM_TOLERANCE = 0.02  # float16 and int8 round each of many classes
TFLITE_MARK = b"TFL3"  # bytes 4 to 8 of a TFLite file


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A model as a function from images to probabilities.

    `image_shape` is `(height, width, channels)`; `label_names` a tuple or None; `run` the form's own
    function from a checked batch to probabilities; `attend` likewise to maps of attention, or None; `grey`
    whether it was trained on grey images, which it is then to be given, also where it takes RGB.
    """

    image_shape: tuple
    label_names: tuple | None
    num_classes: int
    run: Callable
    attend: Callable | None = None
    grey: bool = False

    def __post_init__(self):
        if not 0 < math.prod(self.image_shape) <= MOST_NUMBERS:
            raise InputError(f"Expected a model of images, received one of {self.image_shape} numbers.")
        if self.label_names is not None and len(self.label_names) != self.num_classes:
            raise InputError(
                f"Expected one label per class: the model has {self.num_classes} classes, the labels beside "
                f"it are {len(self.label_names)}. Put the labels.txt of its own training there, or none."
            )

    def probabilities(self, images):
        """Gives float32 `(n, num_classes)` for `(n, height, width, channels)`, uint8 or float in [0, 255].

        A model of RGB takes grey images too.
        """
        images = self._checked(images)
        if not len(images):
            return np.zeros((0, self.num_classes), "float32")
        return np.asarray(self.run(images), "float32")

    def attention_maps(self, images):
        """Gives the attention rollout, float32 `(n, rows, columns)`, of at least one image.

        Raises:
            InputError: the model has no attention, or the file does not give it.
        """
        if self.attend is None:
            raise InputError(
                "Expected a model that gives its attention. Export a Vision Transformer with --attention."
            )
        return np.asarray(self.attend(self._checked(images)), "float32")

    def _checked(self, images):
        images = np.asarray(images)
        if images.shape[-1:] == (1,) and self.image_shape[-1] == 3:
            images = np.repeat(images, 3, axis=-1)
        if images.shape[1:] != self.image_shape:
            raise InputError(f"Expected images (n, {_words(self.image_shape)}), received {images.shape}.")
        return images


def load_predictor(path, num_threads=1):
    """Loads a model in any of its forms.

    Args:
        path: str or Path of a run folder, a `.keras` file, a SavedModel folder or a `.tflite` file.
        num_threads: int, for `.tflite`.

    Raises:
        InputError: missing, damaged, or none of these.
    """
    path = Path(path)
    predictor = _load(path, num_threads)
    answer = predictor.probabilities(np.zeros((1, *predictor.image_shape), "uint8"))
    if not (answer >= 0).all() or abs(answer.sum() - 1) > SUM_TOLERANCE:
        raise InputError(f"{path} is damaged or no classifier: its answers are no probabilities.")
    return predictor


def _load(path, num_threads):
    if not path.exists():
        raise InputError(f"Expected a model at {path}, found nothing.")
    if (path / "model.keras").is_file():
        return keras_predictor(load_model(path / "model.keras"), read_labels(path / "labels.txt"))
    if (path / "saved_model.pb").is_file():
        return saved_model_predictor(path)
    if path.is_dir():
        raise InputError(
            f"Expected a run folder (with model.keras) or a SavedModel (with saved_model.pb), but {path} "
            "holds neither."
        )
    if path.suffix == ".tflite":
        check_recorded(path)
        return tflite_predictor(path, num_threads)
    if path.suffix == ".keras":
        return keras_predictor(load_model(path), read_labels(path.parent / "labels.txt"))
    raise InputError(
        f"Expected a run folder, a .keras file, a SavedModel folder or a .tflite file, received {path}."
    )


def read_labels(path):
    """Returns the names in a `labels.txt`, one a line, or None when there is none."""
    return read_label_names(path) if path.exists() else None


def check_recorded(path):
    """Compares a file with what the `export.json` beside it says of it, if there is one.

    Raises:
        InputError: the record is no record, or the file is not the one that was verified.
    """
    record = path.parent / "export.json"
    if not record.exists():
        return
    try:
        rows = {row["file"]: row for row in read_json(record)["variants"]}
    except (KeyError, TypeError) as error:
        raise InputError(f"{record} is no record of an export. Export again.") from error
    row = rows.get(path.name, {})
    size, digest = row.get("size", path.stat().st_size), row.get("sha256")
    if size != path.stat().st_size or digest and digest != _sha256(path):
        raise InputError(f"{path} is damaged: it is not the file that {record} verified. Export again.")


def keras_predictor(model, label_names=None):
    """Wraps a Keras model that gives logits."""
    from keras_vit.export.images.inference_model import inference_model
    from keras_vit.models import attention_maps

    shipped = inference_model(model)

    def run(images):
        return shipped.predict(images, batch_size=BATCH, verbose=0)

    def attend(images):
        return attention_maps(shipped, images)

    return Predictor(model.input_shape[1:], label_names, model.output_shape[-1], run, attend)


def saved_model_predictor(path):
    """Wraps a SavedModel written by `write_saved_model`, which takes whole numbers: floats are rounded."""
    import tensorflow as tf

    check_saved_model(path, loopless=("serving_default", "attention", "label_names"))
    try:
        loaded = tf.saved_model.load(str(path))
        serve = loaded.signatures["serving_default"]
        shape = tuple(serve.structured_input_signature[1]["images"].shape)[1:]
        num_classes = serve.structured_outputs["probabilities"].shape[1]
        names = tuple(name.decode() for name in loaded.label_names().numpy())
    except Exception as error:  # TensorFlow raises nearly every type for a folder that it cannot read
        raise InputError(
            f"{path} is no SavedModel of ours that can be loaded: {first_line(error)}"
        ) from error

    def answers(signature, name, images):
        images = np.clip(np.rint(images), 0, 255).astype("uint8")
        starts = range(0, len(images), BATCH)
        return np.concatenate([signature(images=tf.constant(images[i : i + BATCH]))[name] for i in starts])

    run = functools.partial(answers, serve, "probabilities")
    attention = loaded.signatures.get("attention")
    attend = attention and functools.partial(answers, attention, "attention")
    return Predictor(shape, names, num_classes, run, attend)


def tflite_predictor(path, num_threads=1, check=True):
    """Wraps a TFLite file from images to probabilities; one just written here needs no check."""
    from ai_edge_litert.interpreter import Interpreter

    if check:
        check_tflite(path)
    interpreter = Interpreter(str(path), num_threads=num_threads)
    interpreter.allocate_tensors()
    (inside,) = interpreter.get_input_details()
    outputs = sorted(interpreter.get_output_details(), key=lambda tensor: len(tensor["shape"]))

    batch, *shape = map(int, inside["shape"])

    def several(output, images):
        interpreter.set_tensor(inside["index"], as_input(whole_batch(images, batch), inside))
        interpreter.invoke()
        return interpreter.get_tensor(output["index"])[: len(images)]

    def answers(output, images):
        return np.concatenate([several(output, images[i : i + batch]) for i in range(0, len(images), batch)])

    # Probabilities have two axes, a map of attention has three.
    run, *attend = (functools.partial(answers, output) for output in outputs)
    labels = read_labels(Path(path).parent / "labels.txt") or attached_names(path)
    grey = was_trained_on_grey(path)
    return Predictor(tuple(shape), labels, int(outputs[0]["shape"][1]), run, *attend, grey=grey)


def attached_names(path):
    """Returns the names that a TFLite file brings along, or None."""
    content = attached_labels(path)
    return None if content is None else parse_label_names(content, f"the labels in {path}")


def check_tflite(path):
    """Runs a TFLite file once in a process of its own: a damaged one can crash the interpreter.

    Raises:
        InputError: it is no TFLite file, needs foreign operators, or does not run on one float32 image.
    """
    check_is_tflite(path)
    try:
        run_worker("check", file=path, kind="images", time_limit=CHECK_TIME_LIMIT)
    except ConditionError as error:
        raise InputError(f"{path} is damaged or no classifier of images: {error}.") from error


def check_is_tflite(path):
    """Looks at a file's first bytes.

    Raises:
        InputError: missing, unreadable, or of another format.
    """
    try:
        if not Path(path).is_file():
            raise InputError(f"Expected a .tflite file at {path}, found {what_lies_at(Path(path))}.")
        with open(path, "rb") as file:
            mark = file.read(8)[4:]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if mark != TFLITE_MARK:
        raise InputError(f"{path} is no TFLite file: it is empty, truncated or of another format.")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _words(shape):
    return ", ".join(map(str, shape))
