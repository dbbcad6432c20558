"""Prints a script that completes `keras-vit` in a shell: commands, options, recipes and files."""

import argparse
import re

from keras_vit.commands.arguments import path
from keras_vit.commands.quiet import quiet_import

EXAMPLE = 'eval "$(keras-vit completion bash)"'
_NAMES = {"recipe": "recipes", "search": "searches", "name": "experiments"}  # by the argument that takes them
_OPTION_WITH_VALUE = re.compile(r'^(  "\*?--[a-z0-9-]+)(\[.*\]:)', re.MULTILINE)
# bash splits --option=VALUE into three words.
_JOINED = """_shtab_keras_vit() {
  local words=() word
  for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do [[ $word = "=" ]] || words+=("$word"); done
  word="${COMP_WORDS[COMP_CWORD]#=}"
  COMP_CWORD=${#words[@]} COMP_WORDS=("${words[@]}" "$word")
"""
_FILES = {"FILE", "LIST", "MODEL"}  # what their options call a file, where `path` does not read it


def add_arguments(parser):
    parser.add_argument(
        "shell",
        choices=("bash", "zsh", "tcsh"),
        help="the example is for ~/.bashrc, and with zsh for ~/.zshrc, behind compinit; for tcsh write the "
        "script to a file and source that in ~/.tcshrc",
    )


def run(options):
    import shtab

    with quiet_import():
        from keras_vit.__main__ import make_parser

        parser = make_parser()
        _describe_values(parser, shtab.FILE)
    script = shtab.complete(parser, shell=options.shell)
    if options.shell == "bash":
        script = script.replace("_shtab_keras_vit() {\n", _JOINED)
    if options.shell == "zsh":  # shtab offers the first of several files only, and no --option=VALUE
        script = script.replace('"(*)::', '"*:').replace('"(*):', '"*:')
        script = _OPTION_WITH_VALUE.sub(r"\1=\2", script)
    if options.shell == "tcsh":  # shtab offers nothing there
        script = script.replace("'p/*/()/'", "'p/*/f/'")
    print(script)


def _describe_values(parser, files):
    """Sets what the values of arguments are: names that there are, or files."""
    from keras_vit.training.modules import module_names

    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for command in commands.choices.values():
        for action in command._actions:
            if action.dest in _NAMES and not action.option_strings:
                action.choices = module_names(f"keras_vit.training.{_NAMES[action.dest]}")
            elif action.type is path or action.metavar in _FILES:
                action.complete = files
