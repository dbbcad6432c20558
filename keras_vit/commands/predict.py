"""Classifies image files, or measures how well a character model predicts text files."""

import os

from keras_vit.commands.arguments import at_least_one, path
from keras_vit.commands.kind import kind_of, open_text_model
from keras_vit.commands.quiet import quiet_engines
from keras_vit.errors import InputError

EXAMPLE = "keras-vit predict runs/digits/export/model_fp32.tflite photo.jpg"


def add_arguments(parser):
    parser.add_argument(
        "model", type=path, metavar="MODEL", help="run folder, .keras, SavedModel folder or .tflite"
    )
    parser.add_argument(
        "files", type=path, nargs="+", metavar="FILE", help="JPEG, PNG, WebP, BMP or GIF; text in UTF-8"
    )
    parser.add_argument(
        "--outputs",
        choices=("logits", "probabilities"),
        help="images only: what the model returns (default: as recorded in a run or exported file; "
        "inferred from outputs for other .keras files)",
    )
    parser.add_argument("--top", type=at_least_one, default=3, metavar="K", help="classes to show")


def run(options):
    quiet_engines(options.model)
    from rich.console import Console

    table = {"images": _images, "text": _texts}[kind_of(options.model)](options)
    Console(markup=False, emoji=False).print(table)  # names are no markup


def _texts(options):
    if options.outputs:
        raise InputError("--outputs is for models of images. Leave it out.")
    from rich.table import Table

    from keras_vit.io.files import read_text
    from keras_vit.text.likelihood import text_figures

    reader, vocabulary, lines = open_text_model(options.model)
    table = Table("file", "characters", "nats per character", "bits", "perplexity", box=None)
    for file in options.files:
        figures = text_figures(reader, vocabulary, read_text(file), lines)
        table.add_row(
            os.path.basename(file),
            f"{figures['num_characters']:,}",
            f"{figures['cross_entropy']:.4f}",
            f"{figures['bits_per_character']:.4f}",
            f"{figures['perplexity']:.3f}",
        )
    return table


def _images(options):
    import numpy as np
    from rich.table import Table

    from keras_vit.export import load_predictor
    from keras_vit.io.images import read_image

    predictor = load_predictor(options.model, outputs=options.outputs)
    height, width, channels = predictor.image_shape
    channels = 1 if predictor.grey else channels
    images = np.stack([read_image(f, size=(height, width), channels=channels) for f in options.files])
    table = Table("file", "class", "probability", box=None)
    for file, probabilities in zip(options.files, predictor.probabilities(images), strict=True):
        for index in np.argsort(-probabilities, kind="stable")[: options.top]:
            name = predictor.label_names[index] if predictor.label_names else str(index)
            table.add_row(os.path.basename(file), name, f"{probabilities[index]:.4f}")
            file = ""
    return table
