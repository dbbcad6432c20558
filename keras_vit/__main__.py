"""The command `keras-vit`: parses arguments and delegates to `keras_vit.commands`."""

import contextlib
import importlib
import logging
import os
import sys
import warnings

from keras_vit import __version__
from keras_vit.commands import COMMANDS
from keras_vit.commands.arguments import IntermixedParser, Parser, by_options
from keras_vit.commands.data_option import check_specs
from keras_vit.commands.interrupts import interrupts_kept
from keras_vit.commands.json_option import json_alone
from keras_vit.commands.model_option import run_imports
from keras_vit.commands.supervision import supervised
from keras_vit.errors import AS_IT_IS, ConditionError, InputError, Notice

PACKAGES = {  # import name to distribution name, where they differ
    "PIL": "pillow",
    "jax": "keras-vit-mobile[jax]",
    "shtab": "keras-vit-mobile[completion]",
    "sklearn": "scikit-learn",
    "torch": "keras-vit-mobile[torch]",
}
FIRST = """\
Vision Transformers from training to a verified file for the phone. The five commands that matter:

  keras-vit demo                                                       all of it, on handwritten digits
  keras-vit train vit_photos data=folder:photos --run-dir runs/photos  photographs, a folder for each class
  keras-vit evaluate runs/photos                                       accuracy, and where mistakes are
  keras-vit export runs/photos --max-drop 0.5                          verified files; also of any Keras model
  keras-vit predict runs/photos/export/model_fp32.tflite cat.jpg       answers, from a file alone

keras-vit --help lists the others, and keras-vit COMMAND --help has the options of one."""


def main(arguments=None):
    """Runs the command line. Returns the exit code: 0 done, 1 condition not met, 2 bad input."""
    if not (sys.argv[1:] if arguments is None else arguments):
        print(FIRST)
        return 0
    options = make_parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # otherwise it also reports a port in use
    logging.getLogger("tensorflow").addFilter(_is_no_retracing_advice)
    logging.getLogger("absl").setLevel(logging.ERROR)  # tensorflow-datasets repeats our messages
    warnings.showwarning = _show_warning(warnings.showwarning, sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files may have letters that a terminal lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        check_specs(options)
        if (code := supervised(options)) is not None:
            return code
        with interrupts_kept():
            run_imports(options)
            with json_alone(options), _shown(options):
                code = options.run(options) or 0
            print(end="", flush=True)  # unlike sys.stdout.flush() also where there is no stdout
            return code
    except InputError as error:
        return _fail(by_options(str(error), options), 2)
    except ConditionError as error:
        return _fail(error, 1)
    except ModuleNotFoundError as error:
        return _fail(_missing(error), 2)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more
        return 141  # as shells say of a program that SIGPIPE ended
    except KeyboardInterrupt as error:  # a training reports its progress and its signal
        return _fail((str(error) or "interrupted.") + _hint(options), getattr(error, "exit_code", 130))


def _is_no_retracing_advice(record):
    """Keras has to trace its step for each model that a command runs."""
    return "triggered tf.function retracing" not in str(record.msg)


def _missing(error):
    """Returns which package to install; a missing module of this package is a bug and is raised."""
    module = (error.name or "").partition(".")[0]
    if module in ("", "keras_vit"):
        raise error
    package = PACKAGES.get(module, module.replace("_", "-"))
    return f'{module} is needed and not installed. Install it: pip install "{package}"'


def _hint(options):
    if options.command in ("tune", "reproduce") or getattr(options, "folds", None):
        return " The same command continues it."
    if options.command != "train" or not os.path.exists(os.path.join(options.run_dir, "recipe.json")):
        return ""
    has_model = os.path.exists(os.path.join(options.run_dir, "model.keras"))
    return " Continue with the same command and --resume." + (f" Without it, {AS_IT_IS}" if has_model else "")


@contextlib.contextmanager
def _shown(options):
    """With --quiet the block shows nothing; warnings and errors are shown by others."""
    if not options.quiet:
        yield
        return
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def _show_warning(default, stream):
    """Shows a notice as one line, and other warnings as before."""

    def show(message, category, *place, **options):
        if issubclass(category, Notice):
            print(f"keras-vit: warning: {' '.join(str(message).split())}", file=stream)
        else:
            default(message, category, *place, **options)

    return show


def _fail(message, code):
    line = " ".join(str(message).split())
    print(f"keras-vit: {line}", file=sys.stderr)
    return code


def make_parser():
    """Returns the parser of the command line."""
    parser = Parser(
        prog="keras-vit", description="Vision Transformers from training to a verified file for the phone."
    )
    parser.add_argument("--version", action="version", version=f"keras-vit {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=IntermixedParser
    )
    for name in COMMANDS:
        module = importlib.import_module(f"keras_vit.commands.{name}")
        help_line = module.__doc__.splitlines()[0]
        command = commands.add_parser(
            name, help=help_line, description=help_line, epilog=f"example: {module.EXAMPLE}"
        )
        module.add_arguments(command)
        command.add_argument("--quiet", action="store_true", help="show warnings and errors only")
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
