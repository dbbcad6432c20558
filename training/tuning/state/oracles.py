"""The tuners: KerasTuner's oracles, restored from the journal instead of files of their own."""

import math

import keras_tuner
from keras_tuner import oracles

from keras_vit.training.tuning.keras_tuner_internals import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    WithoutFiles,
    active_values,
)

RUNNING, IDLE, HALT = "RUNNING", "IDLE", "STOPPED"  # KerasTuner's words for what an oracle wants next
INITIAL_POINTS = 10  # random trials before the Gaussian process of `bayesian` is used
HALVINGS = 3  # of `asha`: a trial gets at least max_epochs / factor**HALVINGS epochs


class ASHAOracle(oracles.RandomSearchOracle):
    """Random search that stops a trial which is not among the best at its rung.

    At `max_epochs / factor`, `max_epochs / factor**2` ... epochs a trial continues when its best value so far
    is among the best `1 / factor` of all trials that reached that rung, and is stopped otherwise. No trial
    waits: the first that reaches a rung continues. It stops trials where the paper pauses them, so that a
    trial is one run.

    Reference:
        Li et al. 2020, https://arxiv.org/abs/1810.05934
    """

    def __init__(self, max_epochs: int, factor: int = 3, **options):
        super().__init__(max_trials=None, **options)
        self.factor = factor
        counts = (math.ceil(max_epochs / factor**halving) for halving in range(1, HALVINGS + 1))
        self.rungs = {epochs: [] for epochs in counts if epochs < max_epochs}  # epochs: best values there

    @keras_tuner.synchronized
    def update_trial(self, trial_id, metrics, step=0):
        """Adds the metrics of an epoch, from 1. The trial that it returns is STOPPED when it should end."""
        trial = super().update_trial(trial_id, metrics, step)
        if step in self.rungs:
            best = trial.metrics.get_best_value(self.objective.name)
            reached = self.rungs[step]
            reached.append(best)
            better = sum(self.objective.better_than(other, best) for other in reached)
            if better >= max(1, len(reached) // self.factor):
                trial.status = HALT
        return trial


TUNERS = {
    "random": oracles.RandomSearchOracle,
    "bayesian": BayesianOptimizationOracle,
    "hyperband": HyperbandOracle,
    "grid": GridSearchOracle,
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

    def run_again(self, trial_id):
        """Lets a trial that failed run as if it had not ended."""
        trial = self.trials[trial_id]
        trial.status, trial.message = RUNNING, None
        self.end_order.remove(trial_id)
        self.ongoing_trials[f"again {trial_id}"] = trial
        if isinstance(self, HyperbandOracle):
            self.rejoin_bracket(trial)

    def populate_space(self, trial_id):
        """Proposes values. For a trial of the journal the oracle's proposal only advances its state."""
        if self.budget is not None and len(self.trials) - self.misfits >= self.budget:
            return {"status": IDLE if self.ongoing_trials else HALT}
        proposal = super().populate_space(trial_id)
        if self.recorded is not None:
            return {"status": RUNNING, "values": dict(self.recorded)}
        if proposal.get("values"):
            proposal["values"] |= active_values(self.hyperparameters, proposal["values"])
        return proposal


def build_oracle(tuner: str, space, objective: tuple[str, str], *, trials: int, seed: int):
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
        options["max_epochs"] = space.epochs
    else:
        options["max_trials"] = None  # counted by `budget`
    if tuner == "bayesian":
        options["num_initial_points"] = INITIAL_POINTS
    oracle = type("Oracle", (Journaled, TUNERS[tuner]), {})(**options)
    oracle.budget = None if tuner == "hyperband" else trials
    oracle.verbose = 0
    return oracle
