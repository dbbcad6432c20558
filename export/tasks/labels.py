"""Labels of each task, checked and brought into the form that its score takes."""

import numpy as np

from keras_vit.errors import InputError, first_line


def class_labels(labels, shape):
    """Returns int classes, one for each place; one-hot labels are accepted."""
    labels = _numbers(labels)
    if labels.shape[1:] == shape and shape[-1] > 1:
        is_one_hot = np.isin(labels, (0, 1)).all() and (labels.sum(axis=-1) == 1).all()
        labels = labels.argmax(axis=-1) if is_one_hot else labels
    if labels.shape[1:] == (*shape[:-1], 1):
        labels = labels[..., 0]
    count = max(2, shape[-1])
    _check(labels.shape[1:] == shape[:-1], f"one class for each place (n{_sizes(shape[:-1])})", labels)
    whole = labels.astype("int64")
    inside = np.array_equal(whole, labels) and whole.min() >= 0 and whole.max() < count
    if not inside:
        raise InputError(
            f"Expected labels from 0 to {count - 1}, received labels from {labels.min()} to {labels.max()}."
        )
    return whole


def yes_or_no(labels, shape):
    """Returns bool labels, of the same shape as the outputs."""
    labels = _as_column(_numbers(labels), shape)
    _check(labels.shape[1:] == shape, f"labels of 0 and 1, (n{_sizes(shape)})", labels)
    if not np.isin(labels, (0, 1)).all():
        raise InputError(f"Expected labels of 0 and 1, received {labels.min()} to {labels.max()}.")
    return labels.astype(bool)


def values(labels, shape):
    """Returns float labels of the outputs' shape that vary in each column."""
    labels = _as_column(_numbers(labels).astype("float64"), shape)
    _check(labels.shape[1:] == shape, f"a value for each output (n{_sizes(shape)})", labels)
    if not labels.reshape(len(labels), -1).var(axis=0).all():
        raise InputError("Expected labels that vary, received a column in which all are equal.")
    return labels


def groups(labels, shape):
    """Returns int labels: items with the same one belong together."""
    labels = _numbers(labels)
    _check(labels.shape[1:] == (), "one label for each item (n,)", labels)
    _, counts = np.unique(labels, return_counts=True)
    if counts.max() == 1 or len(counts) == 1:
        found = "a different one for each item" if counts.max() == 1 else f"{labels[0]} for all"
        raise InputError(f"Expected labels that some items share and others do not, received {found}.")
    return labels


def _as_column(labels, shape):
    """Labels `(n,)` of an output with one column as `(n, 1)`."""
    return labels[:, None] if labels.ndim == 1 and shape == (1,) else labels


def _numbers(labels):
    try:
        labels = np.asarray(labels)
    except ValueError as error:  # lists of different lengths
        raise InputError(f"Expected labels to be an array: {first_line(error)}") from error
    if labels.dtype.kind not in "biuf":
        raise InputError(f"Expected labels to be numbers, received {labels.dtype}.")
    if not labels.size:
        raise InputError(f"Expected labels of the items, received labels {labels.shape}.")
    if not np.isfinite(labels).all():
        raise InputError("Expected finite labels, received NaN or infinite ones. Leave these items out.")
    return labels


def _check(fits, expected, labels):
    if not fits:
        raise InputError(f"Expected {expected}, received labels {labels.shape}.")


def _sizes(shape):
    return "".join(f", {size}" for size in shape) or ","
