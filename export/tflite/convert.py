"""Converts functions of TensorFlow to a TFLite file, in a separate process."""

import tempfile
from pathlib import Path

from keras_vit.export.saved_model.write import save
from keras_vit.export.workers.runner import run_writer


def write_tflite(form, path, options=(), in_process=False):
    """Writes a `FileForm` as TFLite file of builtin operators.

    Its inputs and outputs have the names of the form's, and a batch of its size.
    """
    convert(form, {"serve": form.serve()}, path, options, in_process)


def convert(owner, signatures, path, options=(), in_process=False):
    """Writes a TFLite file of signatures, `tf.function`s by name that read the `variables` of their owner.

    `options` are those of `keras_vit.export.workers.convert`. The converter runs in a separate process, so
    that its refusal, crash or excess is a ConditionError; `in_process` it saves some seconds, and its crash
    is this process's own.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        save(owner, folder, signatures=signatures)
        names = sorted(signatures)
        if in_process:
            from keras_vit.export.workers.convert import convert as convert_here

            path.write_bytes(convert_here(folder, names, options))
        else:
            run_writer("convert", saved_model=folder, signatures=names, options=list(options), path=path)
