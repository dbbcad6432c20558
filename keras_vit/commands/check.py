"""Reads all images or texts of a data set, and shows how they are read, counted and passed over."""

import contextlib
import warnings

from keras_vit.commands.arguments import add_data_dir, add_source, given_source, path, selected
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError, Notice

EXAMPLE = "keras-vit check folder:photos"


def add_arguments(parser):
    parser.add_argument(
        "spec",
        type=path,
        metavar="SPEC",
        help="data of a recipe: folder:PATH, table:FILE, tfds:NAME, hf:NAME, npz:PATH, text:FILE, "
        "pairs:FILE ...",
    )
    parser.add_argument(
        "--class-folders",
        choices=("first", "last"),
        help="which are the classes, where folders contain folders",
    )
    parser.add_argument(
        "--skip-broken", action="store_true", help="show what a training with --skip-broken would read"
    )
    parser.add_argument(
        "--image-size",
        type=int,
        metavar="PIXELS",
        help="also keep the images, decoded for models of this size",
    )
    parser.add_argument(
        "--sixteen-bit",
        metavar="SCALING",
        help="how a training scales images of 16 bits: full (default), data or LOW:HIGH",
    )
    add_source(parser)
    add_data_dir(parser)
    add_json(parser, "lines and the number of items in each split")


def run(options):
    with quiet_import():
        from keras_vit.training.load import load_data, text_loader
    of_images = {
        **given_source(options),
        **selected(options, "image_size", "sixteen_bit"),
        "examine": True,
        "caching": options.image_size is not None,
    }
    of_images = {} if text_loader(options.spec) else of_images
    with json_file(options.json, [options.spec]) as write:
        try:
            data = load_data(options.spec, **of_images)
        except InputError:
            if of_images:
                _print_rest(load_data, options.spec, of_images)
            raise
        splits = {name: len(getattr(data, name)) for name in ("train", "validation", "test")}
        write({"data": options.spec, "splits": splits, "lines": data.summary()})
    print("\n".join(data.summary()))


def _print_rest(load_data, spec, of_images):
    """Prints what can be read of data with an error: images that cannot be read are left out."""
    with contextlib.suppress(InputError), warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        rest = load_data(spec, **{**of_images, "skip_broken": True})
        print("\n".join(rest.summary()))
