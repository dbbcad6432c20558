"""The two errors that the command line turns into an exit code and one line; and others' first line."""

import re

_COLORS = re.compile(r"\x1b\[\d*m")  # of a terminal
_FUNCTIONS = re.compile(r"in user code:.*?\n\n +\w+: ", re.DOTALL)
_CALLING = "Exception encountered when calling "


class InputError(ValueError):
    """Bad input or wrong use. The message says what was expected, what was received and how to mend it."""


class ConditionError(RuntimeError):
    """A condition that the user stated was not met, such as a verification or an accuracy drop."""


def first_line(error):
    """Returns the first line of an error's message that tells what is wrong, or the name of its type.

    Before it TensorFlow tells in which functions it was, and Keras in which layer's call; that is kept.
    """
    text = _FUNCTIONS.sub("", _COLORS.sub("", str(error)))
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith(_CALLING) and len(lines) > 1:
        return f"{lines[0].removeprefix(_CALLING).removesuffix('.')}: {lines[1]}"
    return lines[0]
