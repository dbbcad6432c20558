"""Exports a Keras model of any kind."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np

from keras_vit.constraints import Range, typed
from keras_vit.errors import InputError
from keras_vit.export.images.app_input import is_pixels
from keras_vit.export.int8_training.train import Int8Training
from keras_vit.export.metadata.tables import Card
from keras_vit.export.model import checks
from keras_vit.export.model.function import model_function
from keras_vit.export.model.items import read_items
from keras_vit.export.model.keras_export import KerasExport, full_float32
from keras_vit.export.model.meaning import allowed_drop, expected_outputs, own_metric
from keras_vit.export.model.precision import computing_in_float32, is_float32
from keras_vit.export.model.signature import input_rank
from keras_vit.export.tasks import PHOTO_TASKS
from keras_vit.export.tflite.file_form import FileForm
from keras_vit.export.tflite.writer import TfliteWriter
from keras_vit.export.variants import DEFAULT
from keras_vit.export.verification.export import (
    check_backend,
    check_finite,
    check_variants,
    export_variants,
)
from keras_vit.export.verification.latencies import read_latencies
from keras_vit.export.verification.plot import PLOT, write_plot
from keras_vit.export.verification.record import check_same_model
from keras_vit.io.locking import created_folder
from keras_vit.io.preprocessing import Preprocessing, attached_preprocessing


@typed
def export_model(
    model: keras.Model,
    out: str | Path,
    *,
    inputs: Any,
    labels: Any = None,
    task: str | dict[str, str] | None = None,
    activation: str | dict[str, str] | None = None,
    variants: str | Sequence[str] = DEFAULT,
    calibration: Any = None,
    int8_training: Int8Training | None = None,
    max_drop: Annotated[float | None, Range(0)] = None,
    metric: Any = None,
    higher_is_better: bool | None = None,
    label_names: Sequence[str] | np.ndarray | None = None,
    thresholds: Sequence[float] | np.ndarray | None = None,
    none_below: float | None = None,
    input_dtype: str | None = None,
    batch_size: Annotated[int, Range(1)] = 1,
    attention: bool = False,
    preparation: dict[str, Any] | None = None,
    preprocessing: Preprocessing | None = None,
    replace: bool = True,
    latencies: str | Path | None = None,
    card: Card | None = None,
    report: Callable[[list[dict[str, Any]]], object] | None = None,
    progress: Callable[[str, str], object] | None = None,
) -> list[dict[str, Any]]:
    """Writes a Keras model as SavedModel and TFLite files, each verified against the model's own outputs.

    A file returns what the model returns, by name and shape: nothing is added unless `activation` is given.
    Each variant is written, compared with the model on `inputs` and timed. It stays only if it loses no more
    than `max_drop`; one in float32 must return the model's outputs to float32 rounding, 1e-4 of the largest.
    Files of an earlier export of the same model, with the same weights, labels, task and outputs, stay;
    others are removed, which a notice says. `auto` keeps one file alone.

    The model is functional, Sequential or subclassed, with any inputs and outputs that are arrays of numbers.
    Its own outputs are those of `predict` in float32: a model in mixed precision is built again in float32,
    and low-rank weights (LoRA) are merged. TFLite files have the sizes of `inputs`, and are to be exported
    again for others; a SavedModel leaves open what the model does.

    Images of whole values from 0 to 255 are given as uint8. Then files say so to apps, a SavedModel takes
    uint8 and also encoded images, and a TFLite file whose task is classification, labels or regression takes
    RGB, also for a model of grey images. All other inputs have the types and values of the model, which the
    app has to compute.

    Args:
        model: trained `keras.Model`.
        out: str or Path of a folder. Gets the files and `export.json`, and `labels.txt` with `label_names`.
        inputs: data that was not used in training: an array, a list or dict of arrays for several inputs, a
            `tf.data.Dataset` or a `keras.utils.PyDataset`, both with labels or without.
        labels: what the outputs should be, for `task` or `metric`: an array, or a dict by output. Classes as
            int or one-hot. Default: None, files are compared with the model's outputs only.
        task: what an output means: `"classification"` (a row of classes, or one value for yes or no),
            `"labels"` (a row of labels that each hold or not), `"regression"`, `"embedding"`, `"map"`
            (classes for each pixel), `"sequence"` (classes for each step); a dict by output for several. It
            is the score by which a loss is measured: accuracy, F1, explained variance, accuracy of the
            nearest neighbour, mean intersection over union, accuracy. Default: None.
        activation: `"softmax"` or `"sigmoid"`, to be added behind outputs that are logits; a dict by output
            for several. A single output is then called `probabilities`. Default: None, nothing is added.
        variants: which of `savedmodel`, `fp32`, `fp16`, `dynamic_int8` (together the default), `mixed_int8`,
            `full_int8`, `int16x8`, `int4`; or `auto`, which tries those that may be the fastest, keeps the
            one that is, and draws `export.png`.
        calibration: as `inputs`, a few hundred items of the training data; needed by `mixed_int8`,
            `full_int8`, `int16x8` and `auto`. Default: None.
        int8_training: `keras_vit.export.Int8Training`, trains the weights of `full_int8` for the rounding of
            that file; the other variants keep the model's. Needs `batch_size=1`. Default: None.
        max_drop: float, at least 0. With labels and a task, points (hundredths) of the score that a variant
            may lose; default: 0.5. With a metric, in its unit; no default. Without labels, hundredths of the
            outputs' variance that may get lost; default: 1, an error of a tenth of the outputs' spread.
        metric: instead of the task's score, a `keras.metrics.Metric` or a function of labels and outputs (of
            several outputs, a dict) that returns a number. Default: None.
        higher_is_better: bool, of a metric that does not say itself. Default: None.
        label_names: list, tuple or array of str, one per class, label or number. Default: None.
        thresholds: list, tuple or array of float, of the task labels: the least value of each label that
            holds, which the score and the description of the files use. Default: 0.5, for logits 0.
        none_below: float, of the task classification: the value of the best class below which the answer is
            "none of these", which the description of the files records for apps. Default: None.
        input_dtype: `"float32"` (default) or `"uint8"`, what TFLite files take images in; or `"int8"`, which
            `full_int8` alone can have, for inputs and outputs of any kind: a file for NPUs and
            microcontrollers, with scale and zero point of each in its description. Of grey images it takes
            one channel.
        batch_size: int, how many items TFLite files take at once, at least 1. Default: 1.
        attention: bool, the files give the attention rollout too: a SavedModel as the signature `attention`,
            a TFLite file as its second output. Default: False.
        preparation: dict of what JSON has, how an app has to prepare the inputs, recorded in `export.json`.
        preprocessing: `keras_vit.pretrained.Preprocessing`, which made the inputs of images of any size; the
            files record it, and a SavedModel prepares encoded images so. Default: that of a model of
            `keras_vit.pretrained.load`; otherwise None, and a SavedModel stretches encoded images.
        replace: bool, whether files of another model in the folder are removed. Default: True; with False
            they are an error.
        latencies: str or Path of what `keras-vit benchmark --android --json` wrote of files of this model:
            `auto` ranks by the phone's latencies. Default: None, by this machine's.
        card: `keras_vit.export.metadata.tables.Card`, texts for TFLite files: `name`, `description`,
            `version`, `author`, `license`. Default: the model's name.
        report: function of the rows, called when all variants were tried, before any error.
        progress: function of a variant and what is done with it, such as `("fp32", "converting")`.

    Returns:
        A list of dicts, one per variant that was tried, as in `export.json`: `variant`, `file`, `passed`,
        `failure` (the reason, or None), `size` in bytes, and `latency_ms` for `batch_size` items on `threads`
        threads: of a TFLite file the CPU time, of a SavedModel the wall time, both with passing inputs and
        outputs, some 0.01 ms, which `benchmark` and searches leave out. With `auto`, `kept` marks the file
        that stays. `int_weights` of an int8 or int4 variant is the share of its weights that are integers.

        `drop` is what is lost, in the unit of `max_drop`: without labels `100 * output_error ** 2`, with
        labels from `reference_score`, the model's, to `score`, the file's, both of the metric `metric`.
        `agreement` is the share of items on which file and model agree (of the task labels: of all values).
        Classes and labels: the decision is the same, or the model itself is so unsure that rounding decides.
        Regression, and outputs without a task: the error is at most a quarter of the outputs' spread over the
        items. Embeddings: the cosine is at least 0.98. `same_decisions` is the share without that excuse.
        `output_error` is the root mean square of the differences, relative to the outputs' spread, and
        `max_difference` the largest one, relative to the largest value. Of several outputs these are those of
        the worst, and `outputs` has the figures of each by its name, also its `metric`, `score` and
        `reference_score`, which the row itself then lacks.

    Raises:
        InputError: an argument of another type or outside its limits, an unknown variant or task, inputs or
            labels that do not fit the model, labels without a task or metric, a metric that gives no finite
            number for the model's own outputs, a model that keeps a state, no or too few calibration items,
            or a folder that cannot be written.
        ConditionError: some variant failed (with `auto`: all did); it has left no file, the others stand.

    Example:

    >>> import keras, numpy as np, tempfile
    >>> from keras_vit.export import export_model
    >>> left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    >>> x = keras.layers.Concatenate()([left, right])
    >>> model = keras.Model([left, right], keras.layers.Dense(2, name="price")(x))
    >>> inputs = {"left": np.random.rand(10, 4), "right": np.random.rand(10, 3)}
    >>> (row,) = export_model(model, tempfile.mkdtemp(), inputs=inputs, variants=["savedmodel"])
    >>> row["file"], row["passed"], row["agreement"]
    ('saved_model', True, 1.0)
    """
    check_backend()
    if not str(out) or "\0" in str(out):
        raise InputError(f"Expected out to be the path of a folder, received {str(out)!r}.")
    variants = [variants] if isinstance(variants, str) else list(variants)
    check_variants(variants, KerasExport)
    checks.check_input_dtype(input_dtype, variants)
    checks.check_preparation(preparation)
    checks.check_model(model)
    phone = read_latencies(latencies)
    inputs, labels = read_items(inputs, labels, input_rank(model))
    out = Path(out)
    before = None if is_float32(model) else _first_outputs(model, inputs, activation)
    with computing_in_float32(model) as full:
        function, arrays = model_function(full, inputs, activation, named_as=model)
        checks.check_no_tables(full)
        if progress:
            progress("the model", "computing its own answers")
        outputs = _own_outputs(function, arrays)
        checks.check_rebuilt(before or {}, outputs, model.name)
        function.check_logits(arrays)
        metric = metric and own_metric(metric, higher_is_better, labels, outputs)
        expected = expected_outputs(outputs, task, None if metric else labels, thresholds, none_below)
        limit = allowed_drop(max_drop, labels, metric)
        checks.warn_of_few_items(expected, limit)
        checks.warn_of_equal_outputs(outputs)
        checks.check_label_names(label_names, expected)
        calibration = _calibration(function, arrays, calibration, variants)
        int8_training = int8_training and _int8_training(function, arrays, int8_training, batch_size)
        form = _file_form(function, arrays, expected, input_dtype, batch_size, attention)
        with (
            created_folder(out),
            TfliteWriter(form, calibration, out, int8_training, progress) as writer,
        ):
            known = _preprocessing(model, function, preprocessing)
            facts = (label_names, card or Card(function.name), writer, preparation, known)
            export = KerasExport(form, arrays, expected, metric, *facts)
            if not replace:
                check_same_model(out, export.fingerprint)
            finish = _finish(report, limit, out)
            return export_variants(export, out, variants, limit, finish, progress, phone)


def _preprocessing(model, function, given):
    """The given one, or that of pretrained weights, for the model's size; of models of images alone."""
    known = given or attached_preprocessing(model)
    shapes = [tensor.shape for tensor in function.inputs]
    if known is None or len(shapes) != 1 or len(shapes[0]) != 3:
        return None
    return known.for_size(shapes[0][:2])


def _first_outputs(model, inputs, activation):
    """Returns a model's outputs for the first items in its own precision."""
    function, arrays = model_function(model, inputs, activation)
    return function.predict({name: array[: checks.FEW] for name, array in arrays.items()})


def _own_outputs(function, arrays):
    """Returns the model's own outputs, after checking that they can be those of a file."""
    with full_float32():
        outputs = function.predict(arrays)
        checks.check_items(outputs, len(next(iter(arrays.values()))))
        check_finite(function.model, *outputs.values())
        checks.check_repeatable(function, arrays, outputs)
    return outputs


def _calibration(function, arrays, given, variants):
    if given is None:
        checks.check_calibration(variants, None)
        return None
    given, _ = read_items(given, None, input_rank(function.model))
    given = function.fitted(given)
    checks.check_alike(arrays, given)
    checks.check_calibration(variants, given)
    return given


def _int8_training(function, arrays, training, batch_size):
    """The training with its inputs as arrays by name, after checking that they fit."""
    if batch_size != 1:
        raise InputError(f"int8_training needs batch_size=1, received {batch_size}. Leave one of them out.")
    given, _ = read_items(training.inputs, None, input_rank(function.model))
    given = function.fitted(given)
    checks.check_alike(arrays, given)
    return dataclasses.replace(training, inputs=given)


def _file_form(function, arrays, expected, input_dtype, batch_size, attention):
    checks.check_one_image(arrays, attention)
    images = len(arrays) == 1 and all(map(is_pixels, arrays.values()))
    int8 = input_dtype == "int8"
    if input_dtype and not images and not int8:
        raise InputError(
            f"input_dtype={input_dtype!r} is for models of one image, given as uint8 (n, height, width, "
            "channels). Leave it out: other inputs have the types of the model."
        )
    tasks = [value.task and value.task.name for value in expected.values()]
    answers = len(tasks) == 1 and tasks[0] in PHOTO_TASKS
    dtype = ("float32" if int8 else input_dtype or "float32") if images else None
    # MediaPipe, which passes RGB, takes no int8.
    return FileForm(function, batch_size, dtype, images and answers and not int8, attention, int8)


def _finish(report, max_drop, out):
    def finish(rows):
        if any("kept" in row for row in rows):
            write_plot(rows, max_drop, out / PLOT)
        if report:
            report(rows)

    return finish
