"""How much each field contributes to the score."""

import numpy as np

MIN_TRIALS = 6  # with fewer an estimate has no meaning
TREES = 200


def importances(scored, space):
    """Estimates which share of the scores' variation each field explains.

    A random forest learns the scores from the values; a field's importance is the increase of the forest's
    error when its values are shuffled among the trials. A field that has no effect in a trial counts as its
    default. With some ten trials that is a hint, not a measurement.

    Returns:
        dict from a field to its share, the largest first; the shares sum to 1, or are all 0.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    fields = space.hyperparameters.space
    x = np.array([[hp.value_to_prob(r.values.get(hp.name, hp.default)) for hp in fields] for r in scored])
    y = np.array([record.score for record in scored])
    forest = RandomForestRegressor(TREES, random_state=0).fit(x, y)
    gains = permutation_importance(forest, x, y, n_repeats=20, random_state=0).importances_mean.clip(0)
    shares = gains / (gains.sum() or 1)
    return {fields[i].name: float(shares[i]) for i in np.argsort(-shares, kind="stable")}
