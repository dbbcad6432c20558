"""Writes and verifies SavedModel and TFLite files."""

import argparse
import dataclasses
import os

from keras_vit.commands.arguments import add_data_dir, add_run, at_least_one, path, points
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError
from keras_vit.export.variants import AUTO, DEFAULT, VARIANTS

EXAMPLE = "keras-vit export runs/digits --variant auto --max-drop 0.2"


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
        help="the files give the attention rollout too (Vision Transformers); MediaPipe's ImageClassifier "
        "takes files without it only",
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
        help="images only: what TFLite files take, RGB in [0, 255] (default: float32)",
    )
    parser.add_argument(
        "--batch",
        type=at_least_one,
        metavar="N",
        help="images only: how many TFLite files take at once; MediaPipe's ImageClassifier takes files for "
        "one only (default: 1)",
    )
    parser.add_argument("--name", help="images only: what the files call the model (default: the run's name)")
    parser.add_argument("--author", help="images only: who the files say made the model")
    parser.add_argument("--license", help="images only: under which licence, such as Apache-2.0")
    add_data_dir(parser)


def defaults(run_folder, data_dir=None):
    """Returns the options of `keras-vit export RUN`, for commands that end with it."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.set_defaults(data_dir=data_dir)
    return parser.parse_args([str(run_folder)])


def run(options):
    with quiet_import():
        from rich.console import Console

        from keras_vit.export.tflite.interpreter import flush_xnnpack_banner
        from keras_vit.training.run import load_run

        flush_xnnpack_banner()
    _check_web(options)
    trained = load_run(options.run_folder, options.data_dir)
    export = {"images": _export_images, "text": _export_text}[trained.task.kind]
    console = Console()
    with console.status("exporting") as status:
        export(options, trained, console.print, lambda *words: status.update(": ".join(words)))
    print(f"files and export.json in {trained.folder.export}")
    if options.web is not None:
        print(f"page in {options.web}: python -m http.server --directory {options.web}")


def _check_web(options):
    """Checks what can be known of the page before the files are there."""
    if options.web is None:
        if options.litert is not None:
            raise InputError("--litert is for the page of --web: add --web DIR, or leave it out.")
        return
    from keras_vit.export.web.page import check_page

    if (options.batch or 1) > 1:
        raise InputError("--web takes files for one image: leave out --batch.")
    if set(options.variant or ()) == {"savedmodel"}:
        raise InputError("--web takes TFLite files: add --variant dynamic_int8, or leave out --variant.")
    check_page(options.web, options.litert)


def _export_images(options, run, show, progress):
    from keras_vit.export.images.app_input import PHOTOS
    from keras_vit.export.images.export import ImageExport, export_model
    from keras_vit.export.verification.table import results_table
    from keras_vit.export.web.page import write_page
    from keras_vit.models.rollout import has_attention, map_grid

    if options.characters is not None:
        raise InputError("--characters is for runs on text. Leave it out.")
    model, data = run.model, run.data
    channels = model.input_shape[-1]
    if options.web is not None and channels not in PHOTOS:
        raise InputError(
            f"--web takes models of grey or RGB photos, this one has {channels} channels. Leave it out."
        )
    attention = options.attention or options.web is not None and has_attention(model)
    rows = export_model(
        model,
        run.folder.export,
        inputs=data.test.images,
        labels=data.test.labels,
        label_names=data.label_names,
        variants=tuple(dict.fromkeys(options.variant or DEFAULT)),
        calibration=data.train.images,
        attention=attention,
        report=lambda rows: show(results_table(rows, ImageExport.columns)),
        progress=progress,
        card=_card(options, run.folder),
        **_given(max_drop=options.max_drop, input_dtype=options.input, batch_size=options.batch),
    )
    if options.web is not None:
        labels, grid = list(data.label_names), map_grid(model) if attention else None
        description = {"name": _name(options), "labels": labels, "attention": grid}
        write_page(rows, run.folder.export, options.web, "images", description, options.litert)


def _card(options, folder):
    from keras_vit.export.metadata.card import Card
    from keras_vit.training.summary import summary

    training = summary(folder)
    return Card(_name(options), training, author=options.author or "", license=options.license or "")


def _export_text(options, run, show, progress):
    from keras_vit.export.text.export import TextExport, export_text
    from keras_vit.export.verification.table import results_table
    from keras_vit.export.web.page import write_page
    from keras_vit.text.generation import MAX_LENGTH
    from keras_vit.text.windows import split_windows

    for name in ("attention", "input", "batch", "name", "author", "license"):
        if getattr(options, name):
            raise InputError(f"--{name} is for runs on images. Leave it out.")
    data = run.data
    rows = export_text(
        run.model,
        data.vocabulary,
        split_windows(data, data.test),
        run.folder.export,
        lines=data.lines,
        variants=tuple(dict.fromkeys(options.variant or DEFAULT)),
        report=lambda rows: show(results_table(rows, TextExport.columns)),
        progress=progress,
        **_given(max_drop=options.max_drop, characters=options.characters),
    )
    if options.web is not None:
        description = {
            "name": _name(options),
            **dataclasses.asdict(data.vocabulary),
            "lines": data.lines,
            "max_length": MAX_LENGTH,
        }
        write_page(rows, run.folder.export, options.web, "text", description, options.litert)


def _name(options):
    """What the model is called: as the run's folder, unless something else was given."""
    return options.name or os.path.basename(os.path.abspath(options.run_folder))


def _given(**options):
    """The options that were given; what was not has its default where it is used."""
    return {name: value for name, value in options.items() if value is not None}
