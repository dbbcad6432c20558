"""Writes a data set into a few large files, which are read faster than many small ones."""

from pathlib import Path

from keras_vit.commands.arguments import (
    add_data_dir,
    add_skip_broken,
    add_source,
    given_source,
    path,
    selected,
)
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError, counted

EXAMPLE = "keras-vit pack folder:photos packed --image-size 256"


def add_arguments(parser):
    parser.add_argument(
        "spec", type=path, metavar="SPEC", help="images: folder:PATH, table:FILE, tfds:NAME ..."
    )
    parser.add_argument("out", type=path, metavar="OUT", help="folder to write; train reads it as shards:OUT")
    parser.add_argument(
        "--image-size",
        type=int,
        metavar="PIXELS",
        help="reduce larger images to this shorter side, as JPEG, except those with transparent parts and "
        "those of 16 bits (default: files are copied as they are)",
    )
    add_source(parser)
    parser.add_argument(
        "--weight-column", metavar="NAME", help="column of a table with a weight of each image"
    )
    parser.add_argument("--class-folders", choices=("first", "last"), help="as check has it")
    add_skip_broken(parser)
    parser.add_argument(
        "--seed", type=int, default=0, help="chooses the splits that the data lack (default: 0)"
    )
    add_data_dir(parser)
    add_json(parser, "files with their images and bytes")


def run(options):
    if options.image_size is not None and not 1 <= options.image_size <= 65_500:
        raise InputError(f"Expected --image-size from 1 to 65,500 pixels, received {options.image_size}.")
    out = Path(options.out)
    if (out / "shards.json").exists():
        raise InputError(f"{out} has shards already. Choose another folder, or remove it.")
    with quiet_import():
        from keras_vit.training.data import load_data
        from keras_vit.training.data.cache import free_space
        from keras_vit.training.data.shards import copied_bytes, pack
    data = load_data(
        options.spec,
        **given_source(options),
        **selected(options, "weight_column", "seed"),
        caching=False,
        copied=True,
    )
    print("\n".join(data.summary()))
    size, free = copied_bytes(data), free_space(out)
    most = "at most " if options.image_size else ""
    print(f"to write: {most}{size / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free")
    with json_file(options.json, [options.spec]) as write:
        files = pack(data, out, options.image_size, options.group)
        write(files)
    size = sum(file["bytes"] for file in files)
    print(
        f"{out}: {counted(sum(file['images'] for file in files), 'image')} in "
        f"{counted(len(files), 'file')}, {size / 1e6:,.1f} MB"
    )
    print(f"data=shards:{out}")
