"""Arguments that several commands have."""

import argparse
import contextlib
import math
import os
import re
import sys
from collections.abc import Callable

from keras_vit.errors import InputError, did_you_mean
from keras_vit.io.label_kinds import KINDS

_WITH_OPTION = re.compile(r"\b(\w+)((?:=[\w.]+)?) \((--[\w-]+)\)")  # a message that has both forms
OF_READING = (  # data, as arguments of Python and as options
    "class_folders",
    "group",
    "image_column",
    "image_size",
    "label_column",
    "label_kind",
    "near_duplicates",
    "sixteen_bit",
    "skip_broken",
    "split_column",
    "weight_column",
)


class Parser(argparse.ArgumentParser):
    """Reports an error in one line, as the commands do."""

    _words = ()

    def parse_args(self, args=None, namespace=None):
        self._words = sys.argv[1:] if args is None else args
        return super().parse_args(args, namespace)

    def error(self, message):
        command = next((f" {name}" for name in self._words if name in self._commands()), "")
        message += "" if message.endswith((".", "?")) else "."
        self.exit(2, f"keras-vit: {message}{self._meant(message)} See `{self.prog}{command} --help`.\n")

    def _meant(self, message):
        """A question whether a known word was meant, or `""`."""
        found = re.search(r"invalid choice: '(.*?)'|unrecognized arguments: (\S+)", message)
        if not found:
            return ""
        wrong, known = (found[1], re.findall(r"[\w-]+", message.partition("choose from")[2]))
        if wrong is None:
            wrong, known = found[2].partition("=")[0], [*self._options()]
            if not wrong.startswith("-"):
                return " Quote a path that has spaces."
        if containing := [word for word in known if wrong in word.split("_")]:  # int8 of full_int8
            return f" Did you mean {', '.join(containing)}?"
        return did_you_mean(wrong, known, cutoff=0.75)

    def _options(self):
        """The names of its options, and those of the command that was given."""
        yield from (name for action in self._actions for name in action.option_strings)
        commands = self._commands()
        for name in [name for name in self._words if name in commands][:1]:
            yield from commands[name]._options()

    def _commands(self):
        """The parsers of its commands by name."""
        found = {}
        for action in self._actions:
            found |= action.choices if isinstance(action.choices, dict) else {}
        return found


class IntermixedParser(Parser):
    """Accepts `field=value` also after options, as in `train RECIPE --run-dir DIR epochs=3`.

    And values that begin with a minus, as in `--pixels -1:1`.
    """

    _is_inner = False  # parse_known_intermixed_args calls parse_known_args

    def parse_known_args(self, args=None, namespace=None):
        if self._is_inner:
            return super().parse_known_args(args, namespace)
        if args is not None:  # those of a command
            args = _with_ranges(args)
        self._is_inner = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inner = False


def _with_ranges(words):
    """Joins a range that begins below 0 to its option, which argparse would take for an option."""
    joined = []
    for word in words:
        if re.match(r"-[\d.]+:", word) and joined and joined[-1].startswith("--"):
            word = f"{joined.pop()}={word}"
        joined.append(word)
    return joined


def parsed(command, *words):
    """Returns the options of a command, a module, for another that runs it."""
    parser = Parser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def selected(options, *names: str) -> dict:
    """Returns some options by name."""
    return {name: getattr(options, name) for name in names}


def refuse(options, names, reason):
    """Raises InputError for the first of some options that was given, as `--NAME reason`."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value is not False and value != []:
            raise InputError(f"--{name.replace('_', '-')} {reason}")


def by_options(message: str, options) -> str:
    """Returns a message with the command's options in place of arguments of Python.

    Those on how data are read stay as they are for a command that takes `field=value`, unless the message
    has both forms.

    >>> by_options("Set label_kind=several.", argparse.Namespace(label_kind=None))
    'Set --label-kind several.'
    >>> by_options("set skip_broken=True (--skip-broken).", argparse.Namespace(skip_broken=False))
    'set --skip-broken.'
    """
    for name, value, option in _WITH_OPTION.findall(message):
        if hasattr(options, name):
            with_value = "" if value in ("", "=True") else f" {value[1:]}"
            message = message.replace(f"{name}{value} ({option})", option + with_value)
    if hasattr(options, "overrides"):
        return message
    for name in (field for field in OF_READING if hasattr(options, field)):
        option = f"--{name.replace('_', '-')}"
        message = re.sub(rf"\b{name}=(?:True)?(?=[\s,;]|$)", option, message)
        message = re.sub(rf"('?)\b{name}=", rf"{option} \1", message)
    return message


def add_source(parser):
    """Adds the options on how a source of images is read: the columns of a table, what stays together."""
    for kind in ("image", "label", "split"):
        parser.add_argument(
            f"--{kind}-column",
            metavar="NAME",
            help=f"column of a table with the {kind} (default: a usual name)",
        )
    add_label_kind(parser)
    parser.add_argument(
        "--group",
        metavar="GROUPS",
        help="images of one group stay together: folder, column:NAME of a table, or pattern:REGEX of a path",
    )
    parser.add_argument(
        "--near-duplicates",
        choices=("true", "false"),
        help="whether near-duplicates stay together (default: where no --group is given and images are few)",
    )


def add_label_kind(parser):
    """Adds the option that says what the labels of images are."""
    parser.add_argument("--label-kind", choices=KINDS, help="what the labels are (default: as they show)")


def add_skip_broken(parser):
    """Adds `--skip-broken`, which the message on images that cannot be read names."""
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave out images that cannot be read, and list them"
    )


def given_source(options) -> dict:
    """Returns what `add_source` added, and what `check` and `pack` share, as options of `load_data`."""
    columns = ("image_column", "label_column", "split_column", "label_kind")
    chosen = selected(options, *columns, "group", "class_folders", "skip_broken", "data_dir")
    return {**chosen, "near_duplicates": {"true": True, "false": False}.get(options.near_duplicates)}


def check_no_input(option: str, written: str, inputs: list[str]):
    """Raises InputError where the file that an option writes is one of the inputs."""
    if os.path.realpath(written) in map(os.path.realpath, inputs):
        raise InputError(f"{option} {written} would replace an input file. Choose another name.")


def add_data_dir(parser):
    """Adds `--data-dir`."""
    parser.add_argument("--data-dir", type=path, help="where tensorflow-datasets keeps its data")


def path(text):
    """Reads a path. An empty one, mostly from an unset variable, would mean the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, received an empty one")
    return text


def _number(read: Callable, words: str, fits: Callable):
    """Returns the parser of a number; `words` describe the expected number in messages."""

    def number(text):
        with contextlib.suppress(ValueError):
            if fits(value := read(text)):
                return value
        raise argparse.ArgumentTypeError(f"expected {words}, received {text!r}")

    return number


def named_shape(text):
    """Reads `NAME=1,64,64,3` as a pair of name and tuple; without a name that is empty."""
    name, _, sizes = text.rpartition("=")
    try:
        return name, tuple(map(at_least_one, sizes.split(",")))
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"expected sizes such as 1,64,64,3 or INPUT=1,64,64,3, received {text!r}"
        ) from error


def per_output(choices):
    """Returns the parser of `[OUTPUT=]WORD` as a pair of an output, or "", and one of some words."""

    def parse(text):
        name, _, word = text.rpartition("=")
        if word not in choices:
            raise argparse.ArgumentTypeError(f"expected one of {', '.join(choices)}, received {word!r}")
        return name, word

    return parse


def _whole(text):
    if not text.isdecimal():  # unlike int(), which also reads spaces, signs and underscores
        raise ValueError
    return int(text)


at_least_zero = _number(_whole, "a whole number of at least 0", lambda value: value >= 0)
at_least_one = _number(_whole, "a whole number of at least 1", lambda value: value >= 1)
above_zero = _number(float, "a finite number above 0", lambda value: 0 < value < math.inf)
points = _number(float, "points from 0 to 100", lambda value: 0 <= value <= 100)
share = _number(float, "a number from 0 to 1", lambda value: 0 <= value <= 1)
