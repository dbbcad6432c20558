"""Labels that are likely wrong, by answers of a model that did not learn from them."""

import numpy as np

from keras_vit.io.label_kinds import CLASS, SEVERAL

FEWEST = 20  # images, below which too little is known about each class


def likely_wrong(labels: np.ndarray, answers: np.ndarray, kind: str) -> np.ndarray:
    """Returns the rows whose labels are likely wrong, the most doubtful first; none for numbers and shares.

    A class is likely another one where the model is as sure of that as it is on average of images that have
    it as their label.

    Reference: confident learning, Northcutt et al. 2021, https://arxiv.org/abs/1911.00068, as in cleanlab

    Example:
        >>> sure = np.eye(2)[[0] * 10 + [1] * 10] * 0.98 + 0.01
        >>> likely_wrong(np.array([0] * 9 + [1] * 11), sure, CLASS).tolist()
        [9]
    """
    if kind not in (CLASS, SEVERAL) or len(labels) < FEWEST:
        return np.zeros(0, int)
    answers = answers.astype("float64")
    options = {"return_indices_ranked_by": "self_confidence", "n_jobs": 1}
    if kind == SEVERAL:
        from cleanlab.multilabel_classification.filter import find_label_issues

        return find_label_issues([np.flatnonzero(row).tolist() for row in labels > 0], answers, **options)
    from cleanlab.filter import find_label_issues

    if len(np.unique(labels)) < 2:
        return np.zeros(0, int)
    answers /= answers.sum(axis=1, keepdims=True)
    return find_label_issues(labels.astype(int), answers, **options)
