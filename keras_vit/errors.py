"""The exceptions that become an exit code and one line on the command line, and a warning about data."""

import difflib
import re
import sys
import warnings

AS_IT_IS = "evaluate and export use the best epoch so far."  # of an interrupted training
_COLORS = re.compile(r"\x1b\[\d*m")  # of a terminal
_USER_CODE = re.compile(r"in user code:.*?\n\n +\w+: ", re.DOTALL)
_NODE = re.compile(r"\{\{function_node .*?\}\} *")  # of TensorFlow
_IN_GRAPH = "Graph execution error"
_CALLING = "Exception encountered when calling "
_SYNONYMS = {  # what other libraries call it
    "depth": "num_layers",
    "n_layers": "num_layers",
    "num_blocks": "num_layers",
    "heads": "num_heads",
    "n_heads": "num_heads",
    "dim": "hidden_dim",
    "embed_dim": "hidden_dim",
    "width": "hidden_dim",
    "patch": "patch_size",
    "lr": "learning_rate",
    "wd": "weight_decay",
    "bs": "batch_size",
    "dropout": "dropout_rate",
    "drop_path": "drop_path_rate",
    "img_size": "image_size",
    "classes": "num_classes",
}


class InputError(ValueError):
    """Bad input or wrong use. The message states what was expected, what was received and how to fix it."""


class ConditionError(RuntimeError):
    """A condition stated by the user was not met, such as a verification or an accuracy drop."""


class Notice(UserWarning):
    """A warning that the command line shows as one line."""


class DataWarning(Notice):
    """The data can be used for training, but something about them deserves attention."""


def warn(message: str, kind: type[Notice] = DataWarning):
    """Issues a warning of one line at the call of this package that led to it, in its user's code."""
    frame, level, outermost = sys._getframe(), 1, 1
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == "keras_vit":
            outermost = level
        frame, level = frame.f_back, level + 1
    warnings.warn(message, kind, stacklevel=outermost + 1)


def listed(names, limit=20):
    """Returns names separated by commas, and the number of those past `limit`."""
    names = [str(name) for name in names]
    rest = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest


def shortened(text, limit=200):
    """Returns a text of one line, cut where it is longer than a path or a name.

    >>> shortened("a" * 30, 8)
    'aaaaaaaa ... (30 characters)'
    """
    text = str(text)
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text):,} characters)"


def counted(count, noun, plural=None):
    """Returns a number with what it counts; the noun may have words behind it, such as its verb.

    >>> counted(1, "image"), counted(2000, "image"), counted(0, "class", "classes")
    ('1 image', '2,000 images', '0 classes')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def nearest(word, known, cutoff=0.6):
    """Returns which of the known words a word with a slip may have been meant to be, or None.

    >>> nearest("widht", ["height", "width"])
    'width'
    >>> nearest("depth", ["num_layers", "num_heads"])
    'num_layers'
    """
    if (same := _SYNONYMS.get(word)) in known:
        return same
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=cutoff)), None)


def did_you_mean(word, known, cutoff=0.6, before=""):
    """Returns a question whether a known word was meant, to put behind a message, or `""`.

    >>> did_you_mean("widht", ["height", "width"], before="--")
    ' Did you mean --width?'
    """
    found = nearest(word, known, cutoff)
    return "" if found is None else f" Did you mean {before}{found}?"


def first_line(error):
    """Returns the first informative line of an error's message, or the name of its type.

    TensorFlow's lists of functions and of nodes of the graph are dropped; Keras's name of the layer is kept.
    """
    text = _NODE.sub("", _USER_CODE.sub("", _COLORS.sub("", str(error))))
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith(_CALLING) and len(lines) > 1:
        return f"{lines[0].removeprefix(_CALLING).removesuffix('.')}: {lines[1]}"
    node = next((number for number, line in enumerate(lines) if line.startswith("[[{{node ")), 0)
    return lines[node - 1] if node and lines[0].startswith(_IN_GRAPH) else lines[0]
