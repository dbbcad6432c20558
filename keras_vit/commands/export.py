"""Writes and verifies SavedModel and TFLite files."""

from keras_vit.commands.arguments import add_data_dir, add_run, points
from keras_vit.commands.images_only import check_images
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit export runs/digits --variant auto --max-drop 0.2"
VARIANTS = (  # those of export.record, which is not imported to parse
    "savedmodel",
    "fp32",
    "fp16",
    "dynamic_int8",
    "mixed_int8",
    "full_int8",
    "int16x8",
    "int4",
    "auto",
)
CALIBRATION_IMAGES = 500


def add_arguments(parser):
    add_run(parser)
    parser.add_argument(
        "--variant",
        action="append",
        choices=VARIANTS,
        help="may be repeated; auto keeps the fastest that loses no more than --max-drop "
        "(default: savedmodel, fp32, fp16 and dynamic_int8)",
    )
    parser.add_argument(
        "--max-drop",
        type=points,
        default=0.5,
        metavar="POINTS",
        help="accuracy that a variant may lose, in points (default: %(default)s)",
    )
    add_data_dir(parser)


def run(options):
    check_images(options.run_folder, "export")
    with quiet_import():
        from rich.console import Console

        from export.delegate_notice import let_delegate_tell
        from export.export_run import export_model
        from export.record import DEFAULT
        from export.table import results_table
        from training.run import load_run
        from training.run_folder import RunFolder

        let_delegate_tell()
    folder = RunFolder(options.run_folder)
    _, model, data = load_run(options.run_folder, options.data_dir)
    console = Console()
    with console.status("exporting") as status:
        export_model(
            model,
            data.label_names,
            data.test.images,
            data.test.labels,
            folder.export,
            variants=tuple(dict.fromkeys(options.variant or DEFAULT)),
            max_drop=options.max_drop,
            calibration_images=_spread(data.train.images),
            report=lambda rows: console.print(results_table(rows)),
            progress=lambda variant, step: status.update(f"{variant}: {step}"),
        )
    console.print(f"files and export.json in {folder.export}", highlight=False)


def _spread(images):
    """Some of the images, from all over the training split."""
    return images[:: max(1, len(images) // CALIBRATION_IMAGES)][:CALIBRATION_IMAGES]
