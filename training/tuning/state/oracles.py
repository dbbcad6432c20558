"""The tuners: KerasTuner's oracles, restored from the journal instead of files of their own."""

import keras_tuner
from keras_tuner import oracles

from keras_vit.training.tuning.keras_tuner_internals import (
    BayesianOptimizationOracle,
    HyperbandOracle,
    WithoutFiles,
)
from keras_vit.training.tuning.space.space import Space
from keras_vit.training.tuning.state.asha import ASHAOracle

RUNNING, IDLE, HALT = "RUNNING", "IDLE", "STOPPED"  # KerasTuner's words for what an oracle wants next
INITIAL_POINTS = 10  # random trials before the Gaussian process of `bayesian` is used
TUNERS = {
    "random": oracles.RandomSearchOracle,
    "bayesian": BayesianOptimizationOracle,
    "hyperband": HyperbandOracle,
    "grid": oracles.GridSearchOracle,
    "asha": ASHAOracle,
}
STAGED = ("hyperband", "asha")  # decide how many epochs a trial gets: `epochs` cannot be searched


class Journaled(WithoutFiles):
    """Makes the proposals of an oracle, the other base class, repeatable."""

    budget = None  # trials that may be trained; None where the oracle decides
    misfits = 0  # trials that exceeded a limit; they cost no training and are not counted
    recorded = None  # the values that the journal holds for the next trial; None for a new trial

    def planned(self):
        """Returns how many trials there will be at most, not counting those that exceed a limit."""
        return self.num_trials() if self.budget is None else self.budget

    def populate_space(self, trial_id):
        """Proposes values. For a trial of the journal the oracle's proposal only advances its state."""
        if self.budget is not None and len(self.trials) - self.misfits >= self.budget:
            return {"status": IDLE if self.ongoing_trials else HALT}
        proposal = super().populate_space(trial_id)
        if self.recorded is not None:
            return {"status": RUNNING, "values": dict(self.recorded)}
        return proposal


def build_oracle(tuner: str, space: Space, objective: tuple[str, str], *, trials: int, seed: int):
    """Builds the `Journaled` oracle of a key of `TUNERS` for at most that many trained trials.

    Hyperband ends where its brackets do instead, and a grid also when it is complete.
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
    oracle = type("Oracle", (Journaled, TUNERS[tuner]), {})(**options)
    oracle.budget = None if tuner == "hyperband" else trials
    oracle.verbose = 0
    return oracle
