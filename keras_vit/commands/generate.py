"""Writes new text with a character model."""

import sys

from keras_vit.commands.arguments import selected
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.kind import open_text_model
from keras_vit.commands.model_option import model_name
from keras_vit.commands.quiet import quiet_engines, quiet_import
from keras_vit.export.variants import is_exported

EXAMPLE = "keras-vit generate runs/names --num 20 --temperature 0.8 --prefix tyr"


def add_arguments(parser):
    parser.add_argument(
        "model", type=model_name, metavar="MODEL", help="run folder, SavedModel folder or .tflite"
    )
    parser.add_argument("--num", type=int, default=10, help="samples to generate (default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1: safer text (default: 1)")
    parser.add_argument("--top-k", type=int, metavar="K", help="only the K likeliest characters")
    parser.add_argument("--top-p", type=float, metavar="P", help="only the likeliest that sum to P")
    parser.add_argument("--prefix", default="", help="the start of every sample")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices (default: %(default)s)")
    add_json(parser, "samples")


def run(options):
    generate = _from_export if is_exported(options.model) else _from_run
    with json_file(options.json, [options.model]) as write:
        samples, figures = generate(
            options.model,
            options.num,
            **selected(options, "temperature", "top_k", "top_p", "prefix", "seed"),
        )
        write({"samples": samples, **(figures or {})})
    print(*samples, sep="\n")
    if figures:
        print(
            f"{figures['novel_share']:.1%} of {figures['num_samples']} are not in the training list, "
            f"{figures['duplicate_share']:.1%} repeat an earlier one",
            file=sys.stderr,
        )


def _from_run(path, num_samples, **options):
    with quiet_import():
        from keras_vit.training.text.run import generate_from_run
    return generate_from_run(path, num_samples, **options)


def _from_export(path, num_samples, **options):
    quiet_engines(path)
    from keras_vit.text import generate

    reader, vocabulary, lines = open_text_model(path)
    return generate(reader, vocabulary, num_samples, stop=lines, **options), None
