"""Reports what in a model will be an obstacle on a phone, and the fix."""

from keras_vit.commands.arguments import refuse
from keras_vit.commands.data_option import OF_DATA, add_data
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.model_option import add_import, add_meaning, add_model, add_shape
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError

EXAMPLE = "keras-vit doctor my_models.py:build --shape 1,64,64,3 --strict"


def add_arguments(parser):
    add_model(parser)
    add_shape(parser, "the model")
    add_data(parser)
    add_meaning(parser)
    parser.add_argument(
        "--as-is",
        action="store_true",
        help="examine the file that TensorFlow's converter writes, not the form that keras-vit export writes",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when there are findings")
    add_import(parser)
    add_json(parser, "findings")


def run(options):
    with quiet_import():
        import dataclasses

        from rich.console import Console

        from keras_vit.commands.found_model import find_model
        from keras_vit.export.doctor.examine import examine
        from keras_vit.export.doctor.finding import findings_table
        from keras_vit.io.progress import working
    if options.data and options.shape:
        raise InputError("Expected --data or --shape, received both: data have shapes.")
    if not options.data:
        refuse(options, OF_DATA, "is for --data. Leave it out, or add the data.")
    found = find_model(options.model)
    inputs = _inputs(options, found)
    meaning = found.meaning(options)
    console = Console(highlight=False, emoji=False)
    with json_file(options.json, [options.model]) as write:
        with working("converting"):
            findings = examine(found.model, options.as_is, inputs=inputs, **meaning)
        write([dataclasses.asdict(finding) for finding in findings])
    if findings:
        console.print(findings_table(findings))
    console.print(f"{len(findings) or 'no'} finding{'s' * (len(findings) != 1)}")
    return 1 if options.strict and findings else 0


def _inputs(options, found):
    """Items that determine the sizes of the file, or None."""
    from keras_vit.commands.items import read_items
    from keras_vit.export.model.example import example_inputs
    from keras_vit.export.model.items import read_items as as_arrays

    if options.data:
        items = read_items(options.data, found, options)
        return as_arrays(items.inputs, rank=1 + len(found.inputs[0].shape) if found.inputs else None)[0]
    return example_inputs(found.model, dict(options.shape)) if options.shape else None
