"""The option `--data SPEC` and those that belong to it."""

from pathlib import Path

from keras_vit.commands.arguments import add_data_dir, add_label_kind, add_skip_broken, path
from keras_vit.errors import InputError
from keras_vit.io.files import near_path, source_of

OF_IMAGES = ("pixels", "geometry", "label_column", "label_kind", "skip_broken")
OF_DATA = ("no_labels", *OF_IMAGES)  # options that say how --data is read
GEOMETRIES = ("center_crop", "letterbox", "stretch")  # those of keras_vit.io.preprocessing
PIXELS = ("0:255", "0:1", "-1:1")  # ranges of the values of images
EXPECTED = (
    "digits, tfds:NAME, folder:PATH, table:FILE (all for images), npz:PATH with arrays named as the model's "
    "inputs (or x) and labels, or module:name of arrays, (inputs, labels), a data set, or a function that "
    "returns one"
)

_WITHOUT_PATH = ("digits", "names", "dates", "spelled_numbers")  # data that come with the package
_SPECS = ("spec", "data", "calibration")  # arguments and options of commands
_PATHS = {  # what lies at the path of a spec
    "folder": "a folder of class folders",
    "npz": "an .npz file",
    "shards": "a folder of shards",
    "table": "a CSV or Parquet file",
}


def check_specs(options):
    """Raises InputError where a SPEC names a path at which nothing lies, before any import."""
    for name in _SPECS:
        check_spec(getattr(options, name, None) or "")


def check_spec(text):
    """Does so for one SPEC."""
    kind, colon, place = text.partition(":")
    if not colon and text not in _WITHOUT_PATH and (meant := source_of(text)):
        way = "data begin with what reads them, texts with text: or pairs:"
        raise InputError(f"Unknown data {text!r}: {way}. Did you mean {meant}:{text}?")
    if kind in _PATHS and place and not (found := Path(place).expanduser()).exists():
        raise InputError(f"Expected {_PATHS[kind]} at {found}, found nothing.{near_path(found)}")


def add_data(parser):
    """Adds `--data` and what says how it is read."""
    parser.add_argument("--data", type=path, metavar="SPEC", help=EXPECTED)
    parser.add_argument(
        "--no-labels",
        action="store_true",
        help="leave the labels of the data out; folder: then needs none of classes",
    )
    parser.add_argument(
        "--pixels",
        choices=PIXELS,
        help="values of images that the model was trained on (default: 0:255, bytes)",
    )
    parser.add_argument(
        "--label-column", metavar="NAMES", help="columns of the labels in a table, separated by commas"
    )
    add_label_kind(parser)
    add_skip_broken(parser)
    add_geometry(parser)
    add_data_dir(parser)


def add_geometry(parser):
    """Adds `--geometry`."""
    parser.add_argument(
        "--geometry",
        choices=GEOMETRIES,
        help="how images get the size of a model that has no record of it (default: stretch)",
    )
