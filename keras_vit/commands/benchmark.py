"""Measures TFLite files: latency, memory, operators, and how far each is from its lower bound."""

import contextlib
import tempfile
from pathlib import Path

from keras_vit.commands.arguments import at_least_one, path, refuse
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.model_option import add_import, add_meaning, add_shape
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import Notice, warn

EXAMPLE = "keras-vit benchmark model_fp32.tflite model_mixed_int8.tflite --threads 4 --json latency.json"
FEWEST_ROUNDS = 5


def add_arguments(parser):
    parser.add_argument(
        "files",
        type=path,
        nargs="+",
        metavar="FILE.tflite",
        help="two or more are measured in interleaved rounds; any other MODEL is converted to float32 first",
    )
    parser.add_argument(
        "--threads", type=at_least_one, default=1, metavar="N", help="threads of a run (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds",
        type=at_least_one,
        default=30,
        metavar="N",
        help=f"runs of each file, {FEWEST_ROUNDS} or more (default: %(default)s)",
    )
    parser.add_argument(
        "--signature", metavar="NAME", help="which signature of the files, such as step (default: the first)"
    )
    add_shape(parser, "a file or a model")
    _add_android(parser.add_argument_group("on a phone"))
    add_meaning(parser)
    add_import(parser)
    add_json(parser, "figures")


def _add_android(group):
    group.add_argument(
        "--android", action="store_true", help="measure .tflite files on a phone by adb: CPU, GPU and NPU"
    )
    group.add_argument("--serial", metavar="S", help="which phone, as `adb devices` names it")
    group.add_argument(
        "--tool",
        type=path,
        metavar="FILE",
        help="LiteRT's benchmark_model for Android (default: the published one, downloaded once)",
    )
    group.add_argument(
        "--on",
        action="append",
        choices=("cpu", "gpu", "npu"),
        help="may be repeated: what the phone must have (default: all that it has)",
    )


def run(options):
    if options.android:
        return _run_android(options)
    refuse(options, ("serial", "tool", "on"), "is for --android. Add that, or leave it out.")
    with quiet_import():
        from rich.console import Console

        from keras_vit.export import benchmark
        from keras_vit.export.tflite.interpreter import flush_xnnpack_banner
        from keras_vit.io.progress import working

        flush_xnnpack_banner()
    console = Console(highlight=False, emoji=False)
    with json_file(options.json, options.files) as write, contextlib.ExitStack() as stack:
        files = [_tflite(name, options, stack) for name in options.files]
        names = dict(zip(map(str, files), options.files, strict=True))
        shapes = dict(options.shape) if any(map(_is_tflite, options.files)) else None
        with working("measuring"):
            rounds = max(FEWEST_ROUNDS, options.rounds)
            rows = benchmark(
                files,
                num_threads=options.threads,
                rounds=rounds,
                signature=options.signature,
                shapes=shapes,
            )
        rows = [{**row, "file": names[row["file"]]} for row in rows]
        write(rows)
    _show(rows, console)


def _run_android(options):
    measured_here = ("signature", "shape", "task", "activation")
    refuse(options, measured_here, "is not for --android. Leave it out.")
    with quiet_import():
        from rich.console import Console

        from keras_vit.export.benchmarking.android.run import benchmark_android, warnings_of
        from keras_vit.export.benchmarking.table import phone_table
        from keras_vit.io.progress import working
    with json_file(options.json, options.files) as write:
        with working("measuring"):
            rows = benchmark_android(
                options.files,
                serial=options.serial,
                tool=options.tool,
                processors=tuple(dict.fromkeys(options.on or ())),
                num_threads=options.threads,
                rounds=options.rounds,
            )
        write(rows)
    Console(highlight=False, emoji=False).print(phone_table(rows))
    facts = rows[0]["phone"]
    print(f"\n{facts['model']}, Android {facts['android']}, {facts['soc'] or facts['abi']}")
    for row in rows:
        for line in warnings_of(row):
            warn(line, Notice)
    return 1 if all(row["failure"] for row in rows) else 0


def _show(rows, console):
    from keras_vit.export.benchmarking.table import files_table, operators_table, outside_lines

    console.print(files_table(rows))
    for row in rows:
        print(f"\n{row['file']}{_signature(row)}\n{_inputs(row)}")
        console.print(operators_table(row))
        for line in outside_lines(row):
            print(f"outside XNNPACK: {line}")
    console.print(f"\n{_legend(rows[0])}")


def _is_tflite(name):
    return name.endswith(".tflite") or Path(name).is_file() and not name.endswith(".keras")


def _tflite(name, options, stack):
    """The file itself, or one in a temporary folder that a model is converted to, unverified."""
    if _is_tflite(name):
        return name
    with quiet_import():
        from keras_vit.commands.found_model import find_model
        from keras_vit.export.footprint import write_unverified
        from keras_vit.export.model.example import example_inputs
    found = find_model(name)
    meaning = found.meaning(options)
    file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / f"{found.name}.tflite"
    write_unverified(found.model, example_inputs(found.model, dict(options.shape)), file, **meaning)
    print(f"{name}: measured as a float32 TFLite file that was converted for this and not verified")
    return file


def _signature(row):
    first, *others = row["signatures"] or [None]
    return f", signature {first}; --signature also accepts {', '.join(others)}" if others else ""


def _inputs(row):
    inputs = (f"{i['name']} {i['dtype'].lower()} {'x'.join(map(str, i['shape']))}" for i in row["inputs"])
    return f"inputs: {', '.join(inputs)}"


def _legend(row):
    cpu = row["clock"] == "cpu"
    clock = "CPU time of one thread" if cpu else f"wall time, {row['num_threads']} threads"
    return (
        f"Latency is the {clock}; files and their parts ran in turn. floor is the share of it that "
        "the matrix products and convolutions take alone. Each kind of operator was timed alone: their sum "
        "is not the latency."
    )
