"""Exports a run: its recipe says what its outputs mean, and its data are known."""

import dataclasses
import os

from keras_vit.commands.export import given
from keras_vit.commands.images_for_model import loaded
from keras_vit.errors import InputError, counted


def export_images(options, run, show, **settings):
    from keras_vit.export.images.app_input import PHOTOS
    from keras_vit.export.model.calibration import calibrated
    from keras_vit.export.model.export import export_model
    from keras_vit.export.model.keras_export import KerasExport
    from keras_vit.io.output_meaning import read_output_meaning
    from keras_vit.models.patch_size import with_patch_size
    from keras_vit.models.rollout import has_attention, map_grid

    data, meaning, target = run.data, read_output_meaning(run.folder.path), run.task.target
    model = run.model if options.patch_size is None else with_patch_size(run.model, options.patch_size)
    model = calibrated(model, meaning.temperature, meaning.sharpening)
    if meaning.temperature != 1 or meaning.sharpening:
        sharper = ", lower for images on which the model is sure" if meaning.sharpening else ""
        words = f"probabilities by a temperature of {meaning.temperature:.3f}{sharper}"
        print(f"{words}, fitted on the validation split")
    test, train = loaded(data)
    channels = model.input_shape[-1]
    shown = "--web" if options.web is not None else "--app" if options.app is not None else None
    if shown and channels not in PHOTOS:
        raise InputError(
            f"{shown} supports models of grey or RGB photos, this one has {counted(channels, 'channel')}. "
            "Leave it out."
        )
    known = run.task.preparation(data.name).for_size(model.input_shape[1:3]) if channels in PHOTOS else None
    is_page = options.web is not None and options.app is None  # apps need files with one output
    attention = options.attention or is_page and has_attention(model)
    rows = export_model(
        model,
        export_folder(options, run),
        inputs=test.images,
        labels=target.labels_of_export(test.labels),
        task=meaning.task,
        activation=meaning.activation,
        thresholds=meaning.thresholds,
        none_below=meaning.none_below,
        label_names=data.label_names,
        calibration=train.images,
        int8_training=_int8_training(run, train.images),
        preprocessing=known,
        attention=attention,
        card=_card(options, run.folder),
        report=lambda rows: show(rows, KerasExport.columns),
        **settings,
        **given(input_dtype=options.input, batch_size=options.batch),
    )
    return rows, {
        "labels": list(data.label_names),
        "task": meaning.task,
        "thresholds": meaning.thresholds,
        "noneBelow": meaning.none_below,
        "attention": map_grid(model) if attention else None,
        "preprocessing": known and dataclasses.asdict(known),
    }


def _int8_training(run, images):
    from keras_vit.export import Int8Training

    recipe = run.task.recipe
    if recipe.quantize != "int8":
        return None
    return Int8Training(images, **given(epochs=recipe.int8_epochs, max_items=recipe.int8_items))


def _card(options, folder):
    from keras_vit.export.metadata.tables import Card
    from keras_vit.training.summary import summary

    training = summary(folder)
    return Card(name_of_run(options), training, author=options.author or "", license=options.license or "")


def export_text_run(options, run, show, **settings):
    from keras_vit.export.text.export import TextExport, export_text
    from keras_vit.text.generation import MAX_LENGTH
    from keras_vit.text.windows import split_windows

    data = run.data
    rows = export_text(
        run.model,
        data.vocabulary,
        split_windows(data, data.test),
        run.folder.export,
        lines=data.lines,
        report=lambda rows: show(rows, TextExport.columns),
        **settings,
        **given(characters=options.characters),
    )
    return rows, {**dataclasses.asdict(data.vocabulary), "lines": data.lines, "max_length": MAX_LENGTH}


def export_pair_run(options, run, show, **settings):
    from keras_vit.export.pairs.export import PairExport, export_pairs

    data = run.data
    rows = export_pairs(
        run.model,
        data.vocabulary,
        data.test,
        run.folder.export,
        report=lambda rows: show(rows, PairExport.columns),
        **settings,
    )
    return rows, {}


def export_folder(options, run):
    """Returns the folder of the files of a run: that of each other patch size is its own."""
    folder = run.folder.export
    return (
        folder if options.patch_size is None else folder.with_name(f"{folder.name}_patch{options.patch_size}")
    )


def name_of_run(options):
    """Returns the model's name: the given one, or that of the run's folder."""
    return options.name or os.path.basename(os.path.abspath(options.model))
