"""Everything that relies on private names of KerasTuner, as read in its version 1.4.8.

Used are `Oracle._save_trial`; of `BayesianOptimizationOracle` `_make_gpr`, `_vectorize_trials`,
`_vector_to_values`, `_get_hp_bounds`, `_duplicate` and `_random_populate_space`; of `HyperbandOracle`
`_brackets`, `_get_num_brackets`, `_get_num_rounds` and `_get_size`; and the classes of hyperparameters in
`keras_tuner.engine`. Check these against KerasTuner's source when its version changes.
"""

import keras_tuner
import numpy as np
from keras_tuner import oracles
from keras_tuner.engine import hyperparameters

CANDIDATES = 5000  # points that the Gaussian process evaluates for each trial


def is_choice(hp):
    """Returns whether a hyperparameter has a list of values, not a range."""
    return isinstance(hp, hyperparameters.Choice | hyperparameters.Boolean)


class WithoutFiles:
    """Keeps an oracle from writing its own files."""

    def save(self):
        pass

    def _save_trial(self, trial):
        pass


class BayesianOptimizationOracle(oracles.BayesianOptimizationOracle):
    """KerasTuner's Gaussian process, evaluated at many points at once.

    KerasTuner's own minimizes the lower confidence bound point by point, which takes 10 s and more for each
    trial, may propose values that were tried, and depends on all earlier draws. Here process and points
    are created from the seed for each trial.
    """

    def populate_space(self, trial_id):
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        values = self._most_promising() if len(completed) >= self.num_initial_points else None
        return {"status": "RUNNING", "values": values} if values else self._random_populate_space()

    def _make_gpr(self):
        return super()._make_gpr().set_params(n_restarts_optimizer=2)

    def _most_promising(self):
        """Returns the untried values with the best confidence bound, or None when all were tried."""
        self.gpr = self._make_gpr()
        self.gpr.fit(*self._vectorize_trials())
        generator = np.random.default_rng([self.seed, len(self.trials)])
        points = generator.uniform(size=(CANDIDATES, len(self._get_hp_bounds())))
        mean, deviation = self.gpr.predict(points, return_std=True)
        candidates = map(self._vector_to_values, points[np.argsort(mean - self.beta * deviation)])
        return next((values for values in candidates if not self._duplicate(values)), None)


class HyperbandOracle(oracles.HyperbandOracle):
    """Starts another trial for each that failed before it was trained.

    KerasTuner's own waits for all trials of a round, so that failed ones take the place of promotions.
    """

    @keras_tuner.synchronized
    def end_trial(self, trial):
        super().end_trial(trial)
        if self.trials[trial.trial_id].status == "FAILED":
            for bracket in self._brackets:
                first = bracket["rounds"][0]
                first[:] = [info for info in first if info["id"] != trial.trial_id]

    def num_trials(self):
        """Returns how many trials all brackets will have run; each promotion is one."""
        brackets = range(self._get_num_brackets())
        return sum(self._get_size(b, r) for b in brackets for r in range(self._get_num_rounds(b)))
