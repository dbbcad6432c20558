"""Trains, evaluates, exports and verifies on handwritten digits."""

import os

from keras_vit.commands import export, train
from keras_vit.commands.arguments import parsed, path

EXAMPLE = "keras-vit demo"


def add_arguments(parser):
    parser.add_argument(
        "--run-dir", type=path, default="runs/demo", help="folder to write (default: %(default)s)"
    )


def run(options):
    train.run(parsed(train, "vit_digits", "--run-dir", options.run_dir))
    export.run(parsed(export, options.run_dir))
    print(f"\nLook at {os.path.join(options.run_dir, 'report', 'index.html')}")
