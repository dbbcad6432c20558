"""Images whose label is unknown, as those of test splits that nobody but their makers can score."""

from collections.abc import Mapping

import numpy as np

from keras_vit.errors import InputError, counted


def labelled_rows(known: Mapping[str, np.ndarray], where: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Returns the rows of each split that have a label, and lines on what is left out.

    Args:
        known: whether each row of each split has a label.
        where: what messages call the labels.

    Raises:
        InputError: no label at all in training.
    """
    rows, lines = {}, []
    for split, has_label in known.items():
        found = np.flatnonzero(has_label)
        without = len(has_label) - len(found)
        if split == "train" and not len(found):
            raise InputError(
                f"Expected labels in {where} for training, received unknown ones, -1 or none, in each row. "
                "Choose other labels, or another set."
            )
        if len(found):
            rows[split] = found
        if without and len(found):
            number = f"{without:,} of {counted(len(has_label), 'row')} of {split}"
            lines.append(f"{number} left out: the label is unknown, -1 or none")
        elif without:
            lines.append(f"split {split} left out: its labels are unknown, -1 or none")
    return rows, lines
