"""Measures TFLite files: latency, memory, operators, and how far they are from the floor."""

from keras_vit.commands.arguments import at_least_one
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit benchmark model_fp32.tflite model_mixed_int8.tflite --threads 4 --json latency.json"
FEWEST_ROUNDS = 5


def add_arguments(parser):
    parser.add_argument("files", nargs="+", metavar="FILE.tflite", help="two or more are measured in turn")
    parser.add_argument("--threads", type=at_least_one, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--rounds",
        type=at_least_one,
        default=30,
        metavar="N",
        help=f"runs of each file, {FEWEST_ROUNDS} or more (default: %(default)s)",
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")


def run(options):
    with quiet_import():
        from rich.console import Console

        from export.benchmark.run import benchmark
        from export.benchmark.table import files_table, operators_table, outside_lines
        from export.delegate_notice import let_delegate_tell
        from keras_vit.files import write_json

        let_delegate_tell()
    console = Console(highlight=False)
    with console.status("measuring"):
        rows = benchmark(options.files, options.threads, max(FEWEST_ROUNDS, options.rounds))
    console.print(files_table(rows))
    for row in rows:
        print(f"\n{row['file']}")
        console.print(operators_table(row))
        for line in outside_lines(row):
            print(f"outside XNNPACK: {line}")
    console.print(f"\n{_legend(rows[0])}")
    if options.json:
        write_json(options.json, rows)


def _legend(row):
    cpu = row["clock"] == "cpu"
    clock = "CPU time of one thread" if cpu else f"time by the clock, {row['num_threads']} threads"
    return (
        f"{clock}; all files and parts ran in turn. floor: the matrix products and convolutions alone, "
        "as part of the time. Each kind of operator was timed alone, so that the sum is not the whole."
    )
