"""Reports what in a model will be an obstacle on a phone, and the fix."""

from keras_vit.commands.arguments import path
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit doctor my_models:build --strict"


def add_arguments(parser):
    parser.add_argument(
        "model",
        type=path,
        metavar="MODEL",
        help="run folder, .keras file, or module:function that returns a Keras model",
    )
    parser.add_argument(
        "--as-is",
        action="store_true",
        help="examine the file that TensorFlow's converter writes, not the form that keras-vit export writes",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when there are findings")
    add_json(parser, "findings")


def run(options):
    with quiet_import():
        import dataclasses

        from rich.console import Console

        from keras_vit.export.doctor.examine import examine
        from keras_vit.export.doctor.finding import findings_table
        from keras_vit.export.doctor.load import find_model
    model = find_model(options.model)
    console = Console(highlight=False)
    with json_file(options.json, [options.model]) as write:
        with console.status("converting"):
            findings = examine(model, options.as_is)
        write([dataclasses.asdict(finding) for finding in findings])
    if findings:
        console.print(findings_table(findings))
    console.print(f"{len(findings) or 'no'} finding{'s' * (len(findings) != 1)}")
    return 1 if options.strict and findings else 0
