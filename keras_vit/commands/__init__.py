"""The commands of `keras-vit`, one module each, imported when the command line is parsed.

A module has a docstring whose first line `--help` shows, `EXAMPLE`, `add_arguments(parser)` and
`run(options)`, which returns None or an exit code. Heavy imports belong in `run`.
"""

COMMANDS = (
    "demo",
    "check",
    "pack",
    "train",
    "evaluate",
    "predict",
    "generate",
    "tune",
    "export",
    "push",
    "frontier",
    "benchmark",
    "doctor",
    "reproduce",
    "list",
    "completion",
)
