"""Writes and verifies SavedModel and TFLite files."""

import dataclasses
import os

from keras_vit.commands.arguments import add_data_dir, add_run, at_least_one, path, points
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError
from keras_vit.export.variants import AUTO, DEFAULT, VARIANTS

EXAMPLE = "keras-vit export runs/digits --variant auto --max-drop 0.2"
ONLY = {"images": ("attention", "input", "batch", "name", "author", "license"), "text": ("characters",)}


def add_arguments(parser):
    add_run(parser)
    parser.add_argument(
        "--variant",
        action="append",
        choices=(*VARIANTS, AUTO),
        help="may be repeated; auto keeps the fastest that loses no more than --max-drop "
        "(default: savedmodel, fp32, fp16 and dynamic_int8, which are all that text has)",
    )
    parser.add_argument(
        "--max-drop",
        type=points,
        metavar="DROP",
        help="what a variant may lose: points of accuracy for images (default: 0.5), nats per character for "
        "text (default: 0.01)",
    )
    parser.add_argument(
        "--characters",
        type=at_least_one,
        metavar="N",
        help="text only: how many the signature `generate` writes at once (default: 32)",
    )
    parser.add_argument(
        "--attention",
        action="store_true",
        help="the files also return the attention rollout (Vision Transformers); MediaPipe's ImageClassifier "
        "accepts files without it only",
    )
    parser.add_argument(
        "--web",
        type=path,
        metavar="DIR",
        help="also write a static page that runs the fastest file in a browser",
    )
    parser.add_argument(
        "--litert",
        type=path,
        metavar="DIR",
        help="where `npm install @litertjs/core` was run (default: run it for --web)",
    )
    parser.add_argument(
        "--input",
        choices=("float32", "uint8"),
        help="images only: input type of TFLite files, RGB in [0, 255] (default: float32)",
    )
    parser.add_argument(
        "--batch",
        type=at_least_one,
        metavar="N",
        help="images only: batch size of TFLite files; MediaPipe's ImageClassifier accepts files for "
        "one only (default: 1)",
    )
    parser.add_argument("--name", help="images only: the model's name in the files (default: the run's)")
    parser.add_argument("--author", help="images only: author of the model, written to the files")
    parser.add_argument("--license", help="images only: licence of the model, such as Apache-2.0")
    add_data_dir(parser)


def run(options):
    with quiet_import():
        from rich.console import Console

        from keras_vit.export.tflite.interpreter import flush_xnnpack_banner
        from keras_vit.export.verification.table import results_table
        from keras_vit.export.web.page import write_page
        from keras_vit.training.run import load_run

        flush_xnnpack_banner()
    _check_web(options)
    trained = load_run(options.run_folder, options.data_dir)
    kind, folder = trained.task.kind, trained.folder.export
    _check_kind(options, kind)
    export = {"images": _export_images, "text": _export_text}[kind]
    console = Console()
    with console.status("exporting") as status:
        rows, description = export(
            options,
            trained,
            lambda rows, columns: console.print(results_table(rows, columns)),
            variants=tuple(dict.fromkeys(options.variant or _default_variants(trained.task.recipe))),
            progress=lambda *words: status.update(": ".join(words)),
            **_given(max_drop=options.max_drop),
        )
        if options.web is not None:
            page = {"name": _name(options), **description}
            write_page(rows, folder, options.web, kind, page, options.litert)
    print(f"files and export.json in {folder}")
    if options.web is not None:
        print(f"page in {options.web}: python -m http.server --directory {options.web}")


def _default_variants(recipe):
    """The usual variants, and the one that a recipe is trained for."""
    return (*DEFAULT, "full_int8") if getattr(recipe, "quantize", None) == "int8" else DEFAULT


def _check_kind(options, kind):
    for other, names in ONLY.items():
        given = next((name for name in names if getattr(options, name)), None)
        if given and other != kind:
            raise InputError(f"--{given} is for runs on {other}. Leave it out.")


def _check_web(options):
    if options.web is None:
        if options.litert is not None:
            raise InputError("--litert is for the page of --web: add --web DIR, or leave it out.")
        return
    from keras_vit.export.web.page import check_page

    if (options.batch or 1) > 1:
        raise InputError("--web requires files for one image: leave out --batch.")
    if set(options.variant or ()) == {"savedmodel"}:
        raise InputError("--web requires TFLite files: add --variant dynamic_int8, or leave out --variant.")
    check_page(options.web, options.litert)


def _export_images(options, run, show, **settings):
    from keras_vit.export.images.app_input import PHOTOS
    from keras_vit.export.model.export import export_model
    from keras_vit.export.model.keras_export import KerasExport
    from keras_vit.models.rollout import has_attention, map_grid

    model, data = run.model, run.data
    channels = model.input_shape[-1]
    if options.web is not None and channels not in PHOTOS:
        raise InputError(
            f"--web supports models of grey or RGB photos, this one has {channels} channels. Leave it out."
        )
    attention = options.attention or options.web is not None and has_attention(model)
    rows = export_model(
        model,
        run.folder.export,
        inputs=data.test.images,
        labels=data.test.labels,
        task="classification",
        activation="softmax",
        label_names=data.label_names,
        calibration=data.train.images,
        int8_training=_int8_training(run),
        attention=attention,
        card=_card(options, run.folder),
        report=lambda rows: show(rows, KerasExport.columns),
        **settings,
        **_given(input_dtype=options.input, batch_size=options.batch),
    )
    return rows, {"labels": list(data.label_names), "attention": map_grid(model) if attention else None}


def _int8_training(run):
    from keras_vit.export import Int8Training

    return Int8Training(run.data.train.images) if run.task.recipe.quantize == "int8" else None


def _card(options, folder):
    from keras_vit.export.metadata.card import Card
    from keras_vit.training.summary import summary

    training = summary(folder)
    return Card(_name(options), training, author=options.author or "", license=options.license or "")


def _export_text(options, run, show, **settings):
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
        **_given(characters=options.characters),
    )
    return rows, {**dataclasses.asdict(data.vocabulary), "lines": data.lines, "max_length": MAX_LENGTH}


def _name(options):
    """Returns the model's name: the given one, or that of the run's folder."""
    return options.name or os.path.basename(os.path.abspath(options.run_folder))


def _given(**options):
    """Returns the options that were given; the others have their default where they are used."""
    return {name: value for name, value in options.items() if value is not None}
