"""Shows a model's outputs for image files, or how well a character model predicts text files."""

import os
import warnings

from keras_vit.commands.arguments import at_least_one, path
from keras_vit.commands.geometry_option import add_geometry
from keras_vit.commands.imports import add_import
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.kind import kind_of, open_text_model
from keras_vit.commands.quiet import quiet_engines
from keras_vit.errors import InputError

EXAMPLE = "keras-vit predict runs/digits/export/model_fp32.tflite photo.jpg"
SHOWN = 6  # numbers of an output


def add_arguments(parser):
    parser.add_argument(
        "model",
        type=path,
        metavar="MODEL",
        help="run folder, .keras, SavedModel folder, .tflite, module:name of a model or of a function that "
        "returns one, or public weights such as timm/NAME",
    )
    parser.add_argument(
        "files",
        type=path,
        nargs="+",
        metavar="FILE",
        help="JPEG, PNG, WebP, BMP or GIF; text in UTF-8; for other inputs one .npz file of arrays by name",
    )
    parser.add_argument(
        "--outputs",
        choices=("logits", "probabilities"),
        help="images only: what the model's one output is (default: as recorded in a run or exported file; "
        "inferred from outputs for other .keras files)",
    )
    parser.add_argument("--top", type=at_least_one, default=3, metavar="K", help="classes to show")
    add_geometry(parser)
    add_import(parser)
    add_json(parser, "outputs in full")


def run(options):
    quiet_engines(options.model)
    from rich.console import Console

    with json_file(options.json, [options.model, *options.files]) as write:
        table = {"images": _outputs, "text": _texts}[kind_of(options.model)](options, write)
    Console(markup=False, emoji=False).print(table)  # names are no markup


def _texts(options, write):
    for name in ("outputs", "geometry"):
        if getattr(options, name):
            raise InputError(f"--{name} is for models of images. Leave it out.")
    from rich.table import Table

    from keras_vit.io.files import read_text
    from keras_vit.text.likelihood import text_figures

    reader, vocabulary, lines = open_text_model(options.model)
    table = Table("file", "characters", "nats per character", "bits", "perplexity", box=None)
    rows = []
    for file in options.files:
        figures = text_figures(reader, vocabulary, read_text(file), lines)
        rows.append({"file": file, **figures})
        table.add_row(
            os.path.basename(file),
            f"{figures['num_characters']:,}",
            f"{figures['cross_entropy']:.4f}",
            f"{figures['bits_per_character']:.4f}",
            f"{figures['perplexity']:.3f}",
        )
    write(rows)
    return table


def _outputs(options, write):
    from keras_vit.commands.predictor import find_predictor

    found = find_predictor(options.model, options.outputs)
    names, inputs = _inputs(options.files, found, options.geometry)
    outputs = found.predictor.outputs(inputs)
    items = [{name: rows[i] for name, rows in outputs.items()} for i in range(len(names))]
    write(
        [
            {"file": n, **{k: v.tolist() for k, v in item.items()}}
            for n, item in zip(names, items, strict=True)
        ]
    )
    return (_classes if found.predictor.classes else _numbers)(names, items, found, options.top)


def _inputs(files, found, geometry):
    """What each item is called, and the inputs for a predictor."""
    import numpy as np

    from keras_vit.commands.geometry_option import preparation_for, taken
    from keras_vit.errors import Notice, listed
    from keras_vit.io.images import read_image
    from keras_vit.io.npz_arrays import read_arrays

    if len(files) == 1 and files[0].endswith(".npz"):
        from pathlib import Path

        if geometry:
            raise InputError(f"--geometry is for image files, and {files[0]} has arrays. Leave it out.")
        arrays = read_arrays(Path(files[0]))
        count = max((len(array) for array in arrays.values() if array.ndim), default=0)
        return [f"item {number}" for number in range(count)], arrays
    shapes = [tensor.shape for tensor in found.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][-1] not in (1, 3) or None in shapes[0]:
        takes = listed(f"{tensor.name} {tuple(tensor.shape)}" for tensor in found.inputs)
        raise InputError(
            f"{found.name} takes {takes}, and no image of fixed size. Give one .npz file with arrays "
            "(n, ...) of these names."
        )
    prepare = preparation_for(found, shapes[0], geometry)
    if found.preprocessing is None and not geometry:
        warnings.warn(f"{found.name}: {taken(found, prepare)}", Notice, stacklevel=2)
    channels = 1 if found.predictor.grey else shapes[0][-1]
    return [os.path.basename(f) for f in files], np.stack([read_image(f, prepare, channels) for f in files])


def _classes(names, items, found, top):
    import numpy as np
    from rich.table import Table

    predictor = found.predictor
    table = Table("file", "class", "probability", box=None)
    for file, item in zip(names, items, strict=True):
        probabilities = np.asarray(item[predictor.classes], "float32")
        for index in np.argsort(-probabilities, kind="stable")[:top]:
            name = predictor.label_names[index] if predictor.label_names else str(index)
            table.add_row(file, name, f"{probabilities[index]:.4f}")
            file = ""
    return table


def _numbers(names, items, found, top):
    from rich.table import Table

    table = Table("file", "output", "values", box=None)
    tasks = {output.name: output.task for output in found.predictor.description.outputs}
    for file, item in zip(names, items, strict=True):
        for name, values in item.items():
            scored = tasks.get(name) == "labels" and found.predictor.label_names
            shown = _scores(values, found.predictor.label_names, top) if scored else _values(values)
            table.add_row(file, name, shown)
            file = ""
    return table


def _scores(values, label_names, top):
    best = (-values).argsort(kind="stable")[:top]
    return ", ".join(f"{label_names[index]} {values[index]:.4f}" for index in best)


def _values(values):
    """All numbers of a short row; of others the shape, the norm and the first ones."""
    flat = values.reshape(-1)
    first = " ".join(f"{value:.4g}" for value in flat[:SHOWN])
    if len(flat) <= SHOWN:
        return first
    norm = float((flat.astype("float64") ** 2).sum() ** 0.5)
    return f"{'x'.join(map(str, values.shape))}, norm {norm:.4g}: {first} ..."
