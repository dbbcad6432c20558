"""The two errors that the command line turns into an exit code and one line."""


class InputError(ValueError):
    """Bad input or wrong use. The message says what was expected, what was received and how to mend it."""


class ConditionError(RuntimeError):
    """A condition that the user stated was not met, such as a verification or an accuracy drop."""
