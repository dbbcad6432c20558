"""The tuners: KerasTuner's oracles, restored from the journal instead of files of their own."""

import keras_tuner
from keras_tuner import oracles

from keras_vit.training.tuning.keras_tuner_internals import (
    BayesianOptimizationOracle,
    HyperbandOracle,
    WithoutFiles,
)
from keras_vit.training.tuning.state.asha import ASHAOracle

RUNNING, IDLE, HALT = "RUNNING", "IDLE", "STOPPED"  # KerasTuner's words for what an oracle wants next
INITIAL_POINTS = 10  # random trials before the Gaussian process of `bayesian` is used


class Journaled(WithoutFiles):
    """Makes the proposals of an oracle repeatable.

    Attributes:
        budget: int, trials that may be trained, or None where the oracle decides.
        misfits: int, trials that exceeded a limit; they cost no training and are not counted.
        recorded: dict, the values that the journal holds for the next trial, or None for a new trial.
    """

    budget = None
    misfits = 0
    recorded = None

    def planned(self):
        """Returns how many trials there will be at most, not counting those that exceed a limit."""
        return self.budget

    def populate_space(self, trial_id):
        """Proposes values. For a trial of the journal the oracle's proposal only advances its state."""
        if self.budget is not None and len(self.trials) - self.misfits >= self.budget:
            return {"status": IDLE if self.ongoing_trials else HALT}
        proposal = super().populate_space(trial_id)
        if self.recorded is not None:
            return {"status": RUNNING, "values": dict(self.recorded)}
        return proposal


class RandomSearch(Journaled, oracles.RandomSearchOracle):
    pass


class GridSearch(Journaled, oracles.GridSearchOracle):
    pass


class BayesianOptimization(Journaled, BayesianOptimizationOracle):
    pass


class Hyperband(Journaled, HyperbandOracle):
    def planned(self):
        return self.num_trials()


class ASHA(Journaled, ASHAOracle):
    pass


TUNERS = {
    "random": RandomSearch,
    "bayesian": BayesianOptimization,
    "hyperband": Hyperband,
    "grid": GridSearch,
    "asha": ASHA,
}
STAGED = ("hyperband", "asha")  # decide how many epochs a trial gets: `epochs` cannot be searched


def build_oracle(tuner, space, objective, *, trials, seed):
    """Builds an oracle.

    Args:
        tuner: str, a key of `TUNERS`.
        space: Space.
        objective: `(name, "min" or "max")`.
        trials: int, trials to train at most; Hyperband ends where its brackets do, and a grid when complete.
        seed: int.
    """
    options = {
        "objective": keras_tuner.Objective(*objective),
        "hyperparameters": space.hyperparameters,
        "seed": seed + 1,  # KerasTuner takes 0 for none
        "max_consecutive_failed_trials": None,  # it would raise with its lock held; the ledger counts
    }
    if tuner in STAGED:
        options["max_epochs"] = space.recipe.epochs
    else:
        options["max_trials"] = None  # counted by `budget`
    if tuner == "bayesian":
        options["num_initial_points"] = INITIAL_POINTS
    oracle = TUNERS[tuner](**options)
    oracle.budget = None if tuner == "hyperband" else trials
    oracle.verbose = 0
    return oracle
