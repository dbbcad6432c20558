"""KerasTuner's oracles, without files of their own: the journal keeps what they hear and say."""

import keras_tuner
import numpy as np
from keras_tuner import oracles

from keras_vit.training.tuning.state.asha import ASHAOracle

RUNNING, IDLE, STOPPED = "RUNNING", "IDLE", "STOPPED"
INITIAL_POINTS = 10  # random ones, before the Gaussian process of `bayesian` is asked
CANDIDATES = 5000  # points that it is asked about for each trial


class Journaled:
    """Makes an oracle's proposals repeatable, and keeps it from writing and printing.

    Attributes:
        budget: int, trials that may be trained, or None where the oracle knows its end.
        misfits: int, trials that were over a limit; they cost no training and are not counted.
        recorded: dict, the values that the journal holds for the next trial, or None for a new trial.
    """

    budget = None
    misfits = 0
    recorded = None

    def planned(self):
        """Returns how many trials there will be at most, not counting those over a limit."""
        return self.budget

    def save(self):
        pass

    def _save_trial(self, trial):
        pass

    def populate_space(self, trial_id):
        """Proposes values. When the journal tells what they were, the oracle's own only move its state."""
        if self.budget is not None and len(self.trials) - self.misfits >= self.budget:
            return {"status": IDLE if self.ongoing_trials else STOPPED}
        proposal = super().populate_space(trial_id)
        if self.recorded is not None:
            return {"status": RUNNING, "values": dict(self.recorded)}
        return proposal


class RandomSearch(Journaled, oracles.RandomSearchOracle):
    pass


class GridSearch(Journaled, oracles.GridSearchOracle):
    pass


class Confidence(oracles.BayesianOptimizationOracle):
    """KerasTuner's Gaussian process, asked about many points at once.

    KerasTuner's own looks for the best lower bound of confidence point by point, which takes 10 s and more
    for each trial, may propose what was tried, and depends on all that was drawn before. Here process and
    points are made anew from the seed for each trial.
    """

    def populate_space(self, trial_id):
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if len(completed) < self.num_initial_points:
            return self._random_populate_space()
        values = self._most_promising()
        return {"status": RUNNING, "values": values} if values else self._random_populate_space()

    def _make_gpr(self):
        return super()._make_gpr().set_params(n_restarts_optimizer=2)

    def _most_promising(self):
        """Returns the best values by their bound that were not tried, or None where all were."""
        self.gpr = self._make_gpr()
        self.gpr.fit(*self._vectorize_trials())
        draw = np.random.default_rng([self.seed, len(self.trials)])
        points = draw.uniform(size=(CANDIDATES, len(self._get_hp_bounds())))
        mean, deviation = self.gpr.predict(points, return_std=True)
        candidates = map(self._vector_to_values, points[np.argsort(mean - self.beta * deviation)])
        return next((values for values in candidates if not self._duplicate(values)), None)


class BayesianOptimization(Journaled, Confidence):
    pass


class Hyperband(Journaled, oracles.HyperbandOracle):
    """Begins another trial for each that failed before it was trained.

    KerasTuner's own waits for all trials of a round, so that those which fail take the place of promotions.
    """

    @keras_tuner.synchronized
    def end_trial(self, trial):
        super().end_trial(trial)
        if self.trials[trial.trial_id].status == "FAILED":
            for bracket in self._brackets:
                first = bracket["rounds"][0]
                first[:] = [info for info in first if info["id"] != trial.trial_id]

    def planned(self):
        """Returns how many trials all brackets will have run, each promotion being one."""
        brackets = range(self._get_num_brackets())
        return sum(self._get_size(b, r) for b in brackets for r in range(self._get_num_rounds(b)))


class ASHA(Journaled, ASHAOracle):
    pass


TUNERS = {
    "random": RandomSearch,
    "bayesian": BayesianOptimization,
    "hyperband": Hyperband,
    "grid": GridSearch,
    "asha": ASHA,
}
STAGED = ("hyperband", "asha")  # give trials different numbers of epochs: a search cannot do so, too


def build_oracle(tuner, space, objective, *, trials, seed):
    """Builds an oracle.

    Args:
        tuner: str, a key of `TUNERS`.
        space: keras_vit.training.tuning.space.space.Space.
        objective: `(name, "min" or "max")`.
        trials: int, trials to train at most; Hyperband ends where its brackets do, and so does a grid.
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
