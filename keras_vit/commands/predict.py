"""Shows a model's outputs for image files, how well it predicts text files, or what it answers to a text."""

import concurrent.futures
import itertools
import os
import sys
from collections.abc import Iterator

from keras_vit.commands.arguments import at_least_one, refuse, share
from keras_vit.commands.csv_option import CsvFile, add_csv
from keras_vit.commands.data_option import add_geometry
from keras_vit.commands.image_files import add_files, given_files, image_files
from keras_vit.commands.json_option import STDOUT, add_json, json_file
from keras_vit.commands.kind import kind_of, open_pair_model, open_text_model
from keras_vit.commands.model_option import add_import, model_name
from keras_vit.commands.quiet import quiet_engines
from keras_vit.errors import InputError, Notice, counted, listed, warn

EXAMPLE = "keras-vit predict runs/digits/export/model_fp32.tflite photo.jpg"
_MOST_SHOWN = 50  # files in the table, where the answers are also written to a file
_BATCH = 32  # images that are predicted at once
_AHEAD = 3  # batches that are decoded while one is predicted


def add_arguments(parser):
    parser.add_argument(
        "model",
        type=model_name,
        metavar="MODEL",
        help="run folder, .keras, SavedModel folder, .tflite, module:name of a model or of a function that "
        "returns one, or public weights such as timm/NAME",
    )
    add_files(parser)
    parser.add_argument(
        "--outputs",
        choices=("logits", "probabilities"),
        help="images only: what the model's one output is (default: as recorded in a run or exported file; "
        "inferred from outputs for other .keras files)",
    )
    parser.add_argument(
        "--top",
        type=at_least_one,
        metavar="K",
        help="classes to show (default: 3), of several labels the most that hold (default: all)",
    )
    parser.add_argument(
        "--min-score",
        type=share,
        metavar="S",
        help="show only classes with at least this score; of several labels the least for one to hold, where "
        "its own threshold is lower",
    )
    parser.add_argument(
        "--skip-broken", action="store_true", help="exit with 0 although some images or texts cannot be read"
    )
    add_geometry(parser)
    add_import(parser)
    add_csv(parser)
    add_json(parser, "outputs in full")


def run(options):
    files = given_files(options)
    quiet_engines(options.model)
    {"images": _outputs, "text": _texts, "pairs": _answers}[kind_of(options.model)](options, files)


def _print(table):
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 10_000  # characters, so that paths stay whole in files and pipes
    Console(markup=False, emoji=False, width=wide).print(table)  # names are no markup


def _check_no_images(options):
    refuse(options, ("outputs", "geometry", "top", "min_score"), "is for models of images. Leave it out.")


def _answers(options, sources):
    """Answers each text that is given, or a line of a list."""
    _check_no_images(options)
    from rich.table import Table

    from keras_vit.text.transduction import transduce, unreadable

    csv_file = CsvFile(options.csv, [options.model])
    with json_file(options.json, [options.model]) as write:
        reader, vocabulary = open_pair_model(options.model)
        broken = {s: error for s in sources if (error := unreadable(reader, vocabulary, s)) is not None}
        read = [source for source in sources if source not in broken]
        answers = dict(zip(read, transduce(reader, vocabulary, read) if read else [], strict=True))
        rows = [
            {"source": s, "error": str(broken[s])} if s in broken else {"source": s, "answer": answers[s]}
            for s in sources
        ]
        csv_file.add(["source", "answer", "error"], rows)
        write(rows)
    if read:
        table = Table("source", "answer", box=None)
        for source in read:
            table.add_row(source, answers[source])
        _print(table)
    if broken:
        _report(sources, broken, "text", options.skip_broken)


def _texts(options, files):
    _check_no_images(options)
    from rich.table import Table

    from keras_vit.io.files import read_text
    from keras_vit.text.likelihood import text_figures

    csv_file = CsvFile(options.csv, [options.model, *files])
    with json_file(options.json, [options.model, *files]) as write:
        reader, vocabulary, lines = open_text_model(options.model)
        table = Table("file", "characters", "nats per character", "bits", "perplexity", box=None)
        rows = []
        for file in files:
            figures = text_figures(reader, vocabulary, read_text(file), lines)
            rows.append({"file": file, **figures})
            csv_file.add(list(rows[-1]), rows[-1:])
            table.add_row(
                file,
                f"{figures['num_characters']:,}",
                f"{figures['cross_entropy']:.4f}",
                f"{figures['bits_per_character']:.4f}",
                f"{figures['perplexity']:.3f}",
            )
        write(rows)
    _print(table)


def _outputs(options, files):
    from keras_vit.commands.answers import Answers
    from keras_vit.commands.predictor import find_predictor

    csv_file = CsvFile(options.csv, [options.model, *files])
    with json_file(options.json, [options.model, *files]) as write:
        found = find_predictor(options.model, options.outputs)
        answers = Answers(found, options.top, options.min_score)
        columns = answers.columns if options.csv else []
        interrupted = None
        try:
            for names, inputs, broken in _batches(files, found, options.geometry):
                outputs = found.predictor.outputs(inputs) if len(broken) < len(names) else {}
                csv_file.add(columns, answers.add(names, outputs, broken))
        except KeyboardInterrupt as error:  # what was answered is kept
            interrupted = error
        write(answers.as_json())
    _show(answers, [name for name in (options.csv, options.json) if name not in (None, STDOUT)])
    if interrupted:
        raise interrupted
    if answers.broken:
        _report(answers.answered, answers.broken, "image", options.skip_broken)


def _show(answers, written):
    if written and len(answers.answered) > _MOST_SHOWN:
        print(f"{counted(len(answers.answered), 'file')}: see {' and '.join(written)}")
    elif len(answers.answered) > len(answers.broken):
        _print(answers.table())


def _report(answered, broken, noun, skip_broken):
    """Raises or warns of what could not be read."""
    count = len(answered)
    if count == 1:
        raise next(iter(broken.values()))
    found = f"{len(broken):,} of {counted(count, noun)} cannot be read: {listed(broken, 5)}."
    if skip_broken and len(broken) < count:
        warn(found, Notice)
        return
    first = next(iter(broken.values()))
    raise InputError(
        f"{found} The first: {first} The others are answered; --skip-broken makes this a warning."
    )


def _batches(files, found, geometry) -> Iterator[tuple]:
    """Yields what some items are called, inputs of those that can be read, and the errors of the others."""
    if len(files) == 1 and files[0].endswith(".npz"):
        yield *_arrays(files[0], found, geometry), {}
        return
    shapes = [tensor.shape for tensor in found.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][-1] not in (1, 3) or None in shapes[0]:
        takes = listed(f"{tensor.name} {tuple(tensor.shape)}" for tensor in found.inputs)
        raise InputError(
            f"{found.name} takes {takes}, and no image of fixed size. Give one .npz file with arrays "
            "(n, ...) of these names."
        )
    yield from _images(image_files(files), found, shapes[0], geometry)


def _arrays(file, found, geometry):
    from pathlib import Path

    from keras_vit.io.archive import read_arrays

    if geometry:
        raise InputError(f"--geometry is for image files, and {file} has arrays. Leave it out.")
    arrays = read_arrays(Path(file))
    names = [tensor.name for tensor in found.inputs]
    if names and (others := [name for name in arrays if name not in names]) and set(names) <= arrays.keys():
        warn(f"{file} has {listed(others)} too, which {found.name} does not take: left out.", Notice)
        arrays = {name: arrays[name] for name in names}
    count = max((len(array) for array in arrays.values() if array.ndim), default=0)
    return [f"item {number}" for number in range(count)], arrays


def _images(files, found, shape, geometry):
    """Reads images in threads, which are a few batches ahead."""
    import numpy as np

    from keras_vit.commands.images_for_model import preparation_for, taken
    from keras_vit.io.images import Changes, read_image
    from keras_vit.io.progress import tracked

    prepare = preparation_for(found, shape, geometry)
    if found.preprocessing is None and not geometry:
        warn(f"{found.name}: {taken(found, prepare)}", Notice)
    channels, changes = 1 if found.predictor.grey else shape[-1], Changes()

    def read(file):
        try:
            return read_image(file, prepare, channels, changes)
        except InputError as error:
            return error

    parts = [files[start : start + _BATCH] for start in range(0, len(files), _BATCH)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            ahead = [[pool.submit(read, file) for file in part] for part in parts[:_AHEAD]]
            later = itertools.chain(parts[_AHEAD:], itertools.repeat([]))
            for part in tracked(parts, "predicting"):
                images = {file: future.result() for file, future in zip(part, ahead.pop(0), strict=True)}
                ahead.append([pool.submit(read, file) for file in next(later)])
                whole = [image for image in images.values() if isinstance(image, np.ndarray)]
                broken = {file: error for file, error in images.items() if isinstance(error, InputError)}
                yield part, np.stack(whole) if whole else None, broken
            for line in changes.lines(prepare.background, prepare.window):
                warn(line, Notice)
        finally:
            pool.shutdown(cancel_futures=True)
