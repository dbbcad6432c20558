"""The option `--import MODULE` of commands that take a model of the user's own."""

from keras_vit.commands.arguments import path
from keras_vit.commands.quiet import quiet_import


def add_import(parser):
    """Adds `--import`."""
    parser.add_argument(
        "--import",
        dest="imports",
        type=path,
        action="append",
        default=[],
        metavar="MODULE",
        help="module or .py file to import first, which registers your layers; may be repeated",
    )


def run_imports(options):
    """Imports the modules that a command was given, in their order."""
    places = getattr(options, "imports", ())
    if not places:
        return
    from keras_vit.importing import import_module

    with quiet_import():
        for place in places:
            import_module(place)
