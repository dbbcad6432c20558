"""Reads tokens with the exported forms of a character model."""

from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.export.prediction.load import check_recorded
from keras_vit.export.prediction.tflite import check_is_tflite, check_tflite
from keras_vit.export.saved_model.check import loaded_saved_model
from keras_vit.export.text.description import TextDescription


def load_text_reader(path: str | Path) -> "TfliteReader | SavedModelReader":
    """Loads an exported character model, a `.tflite` file or a SavedModel folder.

    Both readers have `begin` and `read` for `keras_vit.text.generate`, and `description`, `score(tokens)` and
    `write(...)`.
    """
    return load_reader(path, TfliteReader, SavedModelReader)


def load_reader(path, of_file, of_folder):
    """Returns what one of two classes reads at a path."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"Expected a model at {path}, found nothing.")
    if path.is_dir():
        return of_folder(path)
    check_recorded(path)
    return of_file(path)


class _Reader:
    """The base of both forms: a description, and what `step` takes besides the token, for several texts."""

    kind = "text"  # of the file
    described_by = TextDescription

    def __init__(self, path):
        self.description = self.described_by.read(path)

    def read(self, tokens):
        """Reads int32 tokens `(batch,)`; returns logits of what follows, float64 `(batch, vocabulary)`."""
        logits = self._step(np.asarray(tokens, "int32")).astype("float64")
        if logits.shape[-1] != len(self.description.vocabulary):
            raise InputError(
                f"Expected one logit per token: the model returns {logits.shape[-1]}, its vocabulary has "
                f"{len(self.description.vocabulary)}. Export again."
            )
        return logits


class TfliteSignatures(_Reader):
    """The signatures of a TFLite file, which take one text at a time."""

    def __init__(self, path):
        from ai_edge_litert.interpreter import Interpreter

        check_is_tflite(path)
        super().__init__(path)
        check_tflite(path, self.kind)
        self.interpreter = Interpreter(str(path), num_threads=1)
        self._runners = {}

    def runner(self, name):
        """Returns the function of a signature."""
        if name not in self._runners:
            self._runners[name] = self.interpreter.get_signature_runner(name)
        return self._runners[name]

    def _step(self, tokens):
        rows = []
        for index, token in enumerate(tokens):
            after = self.runner("step")(token=token[None], **self.states[index])
            rows.append(after.pop("logits"))
            self.states[index] |= after
        return np.concatenate(rows)


class TfliteReader(TfliteSignatures):
    """A TFLite file, whose signatures take one text at a time."""

    def begin(self, batch_size):
        """Starts new texts."""
        inputs = _shapes_and_types(self.runner("step"))
        self.states = [_zero_states(inputs) for _ in range(batch_size)]

    def score(self, tokens):
        """Returns logits `(batch, window, vocabulary_size)` of texts that start with these tokens."""
        return np.concatenate([self.runner("score")(tokens=row[None])["logits"] for row in tokens])

    def write(self, token, noise, temperature, top_k):
        """Runs `generate` for one new text; `keras_vit.export.text.write` describes its inputs."""
        runner = self.runner("generate")
        states = _zero_states(_shapes_and_types(runner))
        return runner(token=token, noise=noise, temperature=temperature, top_k=top_k, **states)["tokens"]


class SavedModelSignatures(_Reader):
    """The signatures of a SavedModel, which take any number of texts."""

    def __init__(self, path):
        super().__init__(path)
        with loaded_saved_model(path) as loaded:
            self.signatures = loaded.signatures
            _, self.step_inputs = self.signatures["step"].structured_input_signature

    def call(self, name, **inputs):
        """Returns the outputs of a signature as arrays by name."""
        import tensorflow as tf

        given = {key: tf.constant(value) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in self.signatures[name](**given).items()}

    def _step(self, tokens):
        after = self.call("step", token=tokens, **self.states)
        logits = after.pop("logits")
        self.states |= after
        return logits


class SavedModelReader(SavedModelSignatures):
    """A SavedModel, whose signatures take any number of texts."""

    def begin(self, batch_size):
        """Starts new texts."""
        self.states = self._zero_states(batch_size)

    def score(self, tokens):
        return self.call("score", tokens=tokens)["logits"]

    def write(self, token, noise, temperature, top_k):
        sampling = {"noise": noise, "temperature": temperature, "top_k": top_k}
        return self.call("generate", token=token, **sampling, **self._zero_states(len(token)))["tokens"]

    def _zero_states(self, batch_size):
        return _zero_states(
            {
                key: ((batch_size, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
                for key, spec in self.step_inputs.items()
            }
        )


def _shapes_and_types(runner):
    return {key: (tensor["shape"], tensor["dtype"]) for key, tensor in runner.get_input_details().items()}


def _zero_states(inputs):
    return {key: np.zeros(shape, dtype) for key, (shape, dtype) in inputs.items() if key.startswith("state_")}
