"""Writes and verifies SavedModel and TFLite files of a run or of any Keras model."""

import os
import platform

from keras_vit.commands.arguments import at_least_one, path, points, refuse
from keras_vit.commands.data_option import OF_DATA, add_data
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.model_option import add_import, add_meaning, add_metric, add_model
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError
from keras_vit.export.variants import ALL_INT8, AUTO, DEFAULT, VARIANTS, steps

EXAMPLE = "keras-vit export model.keras --data folder:photos --task classification --variant dynamic_int8"
ONLY = {
    "images": ("patch_size", "attention", "input", "batch", "name", "author", "license", "app"),
    "text": ("characters",),
    "images and text": ("web", "litert"),
}
OF_ANY_MODEL = (
    "data", *OF_DATA, "calibration", "labels_file", "metric", "better", "out", "replace", "task",
    "activation",
)  # fmt: skip
OF_RUNS = ("web", "app", "litert", "characters", "patch_size")


def add_arguments(parser):
    add_model(parser)
    parser.add_argument(
        "--variant",
        action="append",
        choices=(*VARIANTS, AUTO),
        help="may be repeated; auto keeps the fastest that loses no more than --max-drop "
        "(default: savedmodel, fp32, fp16 and dynamic_int8, which are all that text and pairs have)",
    )
    parser.add_argument(
        "--max-drop",
        type=points,
        metavar="DROP",
        help="what a variant may lose: points of the score (default: 0.5), without labels hundredths of "
        "the outputs' variance (default: 1), for text nats per character (default: 0.01), for pairs of "
        "texts points of exact match (default: 0.5)",
    )
    parser.add_argument(
        "--latencies",
        type=path,
        metavar="FILE",
        help="for --variant auto: what `benchmark --android --json FILE` measured of this model's files on a "
        "phone (default: auto ranks by this machine's speed)",
    )
    parser.add_argument(
        "--name", help="images and models of your own: the model's name in the files (default: its own)"
    )
    parser.add_argument("--author", help="author of the model, written to the files")
    parser.add_argument("--license", help="licence of the model, such as Apache-2.0")
    parser.add_argument(
        "--attention",
        action="store_true",
        help="the files also return the attention rollout (Vision Transformers); MediaPipe's ImageClassifier "
        "accepts files without it only",
    )
    parser.add_argument(
        "--input",
        choices=("float32", "uint8", "int8"),
        help="input type of TFLite files: for images float32 (default) or uint8, RGB in [0, 255]; int8 for "
        "any inputs and outputs, which full_int8 alone can have (NPUs, microcontrollers)",
    )
    parser.add_argument(
        "--batch",
        type=at_least_one,
        metavar="N",
        help="batch size of TFLite files; MediaPipe's ImageClassifier accepts one only (default: 1)",
    )
    _add_of_any_model(parser.add_argument_group("any model but a run"))
    _add_of_runs(parser.add_argument_group("runs only"))
    add_import(parser)
    add_json(parser, "rows of the table")


def _add_of_any_model(group):
    add_data(group)
    add_meaning(group)
    group.add_argument(
        "--calibration",
        type=path,
        metavar="SPEC",
        help="a few hundred training items for int8 variants and auto, as --data (default: of images the "
        "training split)",
    )
    group.add_argument("--labels-file", type=path, metavar="FILE", help="names of classes, one a line")
    add_metric(group)
    group.add_argument("--better", choices=("higher", "lower"), help="which values of --metric are better")
    group.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="default: NAME_export, next to a file; export, in a folder with model.keras",
    )
    group.add_argument("--replace", action="store_true", help="replace the files of another model in DIR")


def _add_of_runs(group):
    group.add_argument(
        "--patch-size",
        type=at_least_one,
        metavar="N",
        help="Vision Transformers: patches of another size than the trained one, in pixels, into the folder "
        "export_patchN; train with flexible_patches for it",
    )
    group.add_argument(
        "--characters",
        type=at_least_one,
        metavar="N",
        help="text only: how many the signature `generate` writes at once (default: 32)",
    )
    group.add_argument(
        "--web",
        type=path,
        metavar="DIR",
        help="of a run, also write a static page that runs the fastest file in a browser",
    )
    group.add_argument(
        "--app",
        type=path,
        metavar="DIR",
        help="images only: also copy an Android and an iOS project there, with the fastest file in place",
    )
    group.add_argument(
        "--litert",
        type=path,
        metavar="DIR",
        help="where `npm install @litertjs/core` was run (default: run it for --web)",
    )


def run(options):
    with quiet_import():
        from rich.console import Console

        from keras_vit.commands.found_model import find_model, is_run
        from keras_vit.export.tflite.interpreter import flush_xnnpack_banner
        from keras_vit.export.verification.table import results_table

        flush_xnnpack_banner()
    _check_web(options)
    _check_app(options)
    _check_latencies(options)
    console = Console(emoji=False)

    def show(rows, columns):
        console.print(results_table(rows, columns))

    with json_file(options.json, [options.model]) as write:

        def report(rows, columns):
            write(rows)
            show(rows, columns)
            if AUTO in (options.variant or ()):
                print(_ranked_by(rows))

        if is_run(options.model):
            reason = "is for models that are no run: of a run all this is known. Leave it out."
            refuse(options, OF_ANY_MODEL, reason)
            _export_run(options, report)
            return
        reason = "is for runs. Leave it out: app.md, next to the files, has the lines for apps and pages."
        refuse(options, OF_RUNS, reason)
        from keras_vit.commands.export_model import export_found

        out = export_found(options, find_model(options.model), report)
        print(f"files and export.json in {out}")


def _export_run(options, show):
    from keras_vit.commands.export_run import (
        export_folder,
        export_images,
        export_pair_run,
        export_text_run,
        name_of_run,
    )
    from keras_vit.export.app.project import write_app
    from keras_vit.export.web.page import write_page
    from keras_vit.io.progress import working
    from keras_vit.training.run import load_run

    trained = load_run(options.model, options.data_dir)
    kind, folder = trained.task.kind, export_folder(options, trained)
    _check_kind(options, kind)
    export = {"images": export_images, "text": export_text_run, "pairs": export_pair_run}[kind]
    variants = chosen_variants(options, trained.task.recipe)
    with working("exporting", steps(variants)) as progress:

        def report(rows, columns):
            progress.stop()
            show(rows, columns)

        rows, description = export(
            options,
            trained,
            report,
            variants=variants,
            progress=progress,
            **given(max_drop=options.max_drop, latencies=options.latencies),
        )
        if options.web is not None:
            page = {"name": name_of_run(options), **description}
            write_page(rows, folder, options.web, kind, page, options.litert)
        if options.app is not None:
            write_app(rows, folder, options.app)
    print(f"files and export.json in {folder}")
    if options.web is not None:
        print(f"page in {options.web}: python -m http.server --directory {options.web}")
    if options.app is not None:
        print(f"apps in {options.app}, see its README.md")


def chosen_variants(options, recipe=None):
    """The given variants; else those that int8 inputs can have, or the usual ones."""
    if options.variant:
        return tuple(dict.fromkeys(options.variant))
    return ALL_INT8 if options.input == "int8" else default_variants(recipe)


def default_variants(recipe):
    """The usual variants, and the one that a recipe is trained for."""
    return (*DEFAULT, "full_int8") if getattr(recipe, "quantize", None) == "int8" else DEFAULT


def _check_kind(options, kind):
    for other, names in ONLY.items():
        if kind not in other.split():
            refuse(options, names, f"is for runs on {other}. Leave it out.")


def _check_web(options):
    if options.web is None:
        if options.litert is not None:
            raise InputError("--litert is for the page of --web: add --web DIR, or leave it out.")
        return
    from keras_vit.export.web.page import check_page

    _check_files("--web", options)
    check_page(options.web, options.litert)


def _check_app(options):
    if options.app is None:
        return
    from keras_vit.export.app.project import check_app

    _check_files("--app", options)
    if options.attention:
        raise InputError("--app requires files with one output, as MediaPipe does: leave out --attention.")
    if options.web is not None and os.path.realpath(options.web) == os.path.realpath(options.app):
        raise InputError("--web and --app require folders of their own: choose another for one of them.")
    check_app(options.app)


def _check_files(option, options):
    if options.input == "int8":
        raise InputError(f"{option} requires files that take float32 or uint8: leave out --input int8.")
    if (options.batch or 1) > 1:
        raise InputError(f"{option} requires files for one image: leave out --batch.")
    if set(options.variant or ()) == {"savedmodel"}:
        raise InputError(f"{option} requires TFLite files: add --variant fp32, or leave out --variant.")


def _check_latencies(options):
    if options.latencies is not None and AUTO not in (options.variant or ()):
        raise InputError("--latencies is for --variant auto, which ranks by them. Leave it out, or add it.")


def _ranked_by(rows):
    """A line on whose speed `auto` ranked by."""
    phones = sorted({row["measured_on"] for row in rows if "measured_on" in row})
    if phones:
        return f"auto ranked by latencies of {', '.join(phones)}"
    return (
        f"auto ranked by the speed of this machine ({platform.machine()}), near ties as ARM likes them; a "
        "phone may rank otherwise: keras-vit benchmark --android, then --latencies"
    )


def given(**options):
    """Returns the options that were given; the others have their default where they are used."""
    return {name: value for name, value in options.items() if value is not None}
