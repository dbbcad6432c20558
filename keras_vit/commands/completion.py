"""Prints a script that completes `keras-vit` in a shell."""

from keras_vit.commands.quiet import quiet_import

EXAMPLE = 'eval "$(keras-vit completion bash)"'


def add_arguments(parser):
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(options):
    import shtab

    with quiet_import():
        from keras_vit.__main__ import make_parser
    print(shtab.complete(make_parser(), shell=options.shell))
