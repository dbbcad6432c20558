"""Trains, evaluates, exports and verifies on handwritten digits."""

import os

from keras_vit.commands import export, train
from keras_vit.commands.arguments import parsed, path
from keras_vit.commands.json_option import add_json

EXAMPLE = "keras-vit demo"


def add_arguments(parser):
    parser.add_argument(
        "--run-dir", type=path, default="runs/demo", help="folder to write (default: %(default)s)"
    )
    add_json(parser, "rows of the export")


def run(options):
    train.run(parsed(train, "vit_digits", "--run-dir", options.run_dir))
    written = ("--json", options.json) if options.json else ()
    export.run(parsed(export, options.run_dir, *written))
    print(f"\nLook at {os.path.join(options.run_dir, 'report', 'index.html')}")
