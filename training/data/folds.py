"""Which of several folds is the test split, as a recipe writes it: `"2/5"`."""

import dataclasses

from keras_vit.errors import InputError

MOST = 1000


@dataclasses.dataclass(frozen=True)
class Fold:
    """The fold of this number, from 1, of `count`."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str, name: str = "fold") -> "Fold":
        """Reads a fold.

        Example:
            >>> Fold.parse("2/5")
            Fold(number=2, count=5)
        """
        number, _, count = str(text).partition("/")
        is_fold = number.isdecimal() and count.isdecimal() and len(text) < 20
        if not (is_fold and 1 <= int(number) <= int(count) and 2 <= int(count) <= MOST):
            raise InputError(
                f"Expected {name} to be NUMBER/COUNT with 2 to {MOST:,} folds, such as 1/5 for the first of "
                f"five, received {text!r}."
            )
        return cls(int(number), int(count))
