"""Classifies image files."""

import os

from keras_vit.commands.arguments import at_least_one
from keras_vit.commands.images_only import check_images
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit predict runs/digits/export/model_fp32.tflite photo.jpg"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="run folder, .keras, SavedModel folder or .tflite")
    parser.add_argument("files", nargs="+", metavar="FILE", help="JPEG, PNG, WebP, BMP or GIF")
    parser.add_argument("--top", type=at_least_one, default=3, metavar="K", help="classes to show")


def run(options):
    check_images(options.model, "predict")
    with quiet_import():
        import keras  # noqa: F401  the predictor needs it
        import numpy as np
        from rich.console import Console
        from rich.table import Table

        from export.delegate_notice import let_delegate_tell
        from export.predictor import load_predictor
        from keras_vit.images import read_image

        let_delegate_tell()
    predictor = load_predictor(options.model)
    height, width, channels = predictor.image_shape
    images = np.stack([read_image(f, size=(height, width), channels=channels) for f in options.files])
    table = Table("file", "class", "probability", box=None)
    for file, probabilities in zip(options.files, predictor.probabilities(images), strict=True):
        for index in np.argsort(-probabilities, kind="stable")[: options.top]:
            name = predictor.label_names[index] if predictor.label_names else str(index)
            table.add_row(os.path.basename(file), name, f"{probabilities[index]:.4f}")
            file = ""
    Console().print(table)
