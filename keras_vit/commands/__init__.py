"""What `keras-vit` can do, one command a module, imported when the command line is parsed.

A module has the docstring that `--help` shows in its first line, `EXAMPLE`, `add_arguments(parser)` and
`run(options)`, which returns nothing or an exit code. It imports what is heavy where it runs.
"""

COMMANDS = (
    "demo",
    "train",
    "evaluate",
    "predict",
    "generate",
    "tune",
    "export",
    "benchmark",
    "doctor",
    "reproduce",
    "list",
)
