"""Everything that relies on private names of KerasTuner, as read in its version 1.4.8.

Used are `Oracle._save_trial`; `HyperParameters._exists`; of `BayesianOptimizationOracle` `_make_gpr`,
`_vectorize_trials`, `_vector_to_values`, `_get_hp_bounds`, `_duplicate` and `_random_populate_space`; of
`GridSearchOracle` `_compare`; of `HyperbandOracle`
`_brackets`, `_get_num_brackets`, `_get_num_rounds` and `_get_size`; and the classes of hyperparameters in
`keras_tuner.engine`. Check these against KerasTuner's source when its version changes.
"""

import copy

import keras_tuner
import numpy as np
from keras_tuner import oracles
from keras_tuner.engine import hyperparameters as hyperparameters_module

CANDIDATES = 5000  # points that the Gaussian process evaluates for each trial


def is_choice(hp):
    """Returns whether a hyperparameter has a list of values, not a range."""
    return isinstance(hp, hyperparameters_module.Choice | hyperparameters_module.Boolean)


def varying(hyperparameters):
    """Returns the hyperparameters that have several values, one of each name."""
    several = [hp for hp in hyperparameters.space if not isinstance(hp, hyperparameters_module.Fixed)]
    return list({hp.name: hp for hp in reversed(several)}.values())[::-1]


def active_values(hyperparameters, values):
    """Returns values of what is active with them, and the defaults of what they lack.

    KerasTuner's `ensure_active_values` draws them without a seed.
    """
    names = {hp.name for hp in hyperparameters.space}
    found = keras_tuner.HyperParameters()
    found.values = {name: value for name, value in values.items() if name not in names}
    for hp in hyperparameters.space:  # each after those that it depends on
        if found.is_active(hp):
            found.values.setdefault(hp.name, values.get(hp.name, hp.default))
    return found.values


def from_config(config):
    """Returns the HyperParameters of a config, and leaves it as it is: KerasTuner's puts objects into it."""
    return keras_tuner.HyperParameters.from_config(copy.deepcopy(config))


def is_discovery(oracle, trial, space, values):
    """Returns whether the hyperparameters that the model of a trial declared are new to an oracle."""
    declared = from_config({"space": space, "values": values})
    known = oracle.trials[trial].hyperparameters.values
    is_new = any(not oracle.hyperparameters._exists(hp.name, hp.conditions) for hp in declared.space)
    return is_new or not values.keys() <= known.keys()


def add_discovered(oracle, trial, space, values):
    """Adds the hyperparameters that the model of a trial declared to the trial and to an oracle's space."""
    known = oracle.trials[trial].hyperparameters.values
    config = {"space": space, "values": {**known, **values}}
    oracle.trials[trial].hyperparameters = from_config(config)
    oracle.update_space(oracle.trials[trial].hyperparameters)
    return config["values"]


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


class GridSearchOracle(oracles.GridSearchOracle):
    """Compares also with trials that have not yet declared all hyperparameters: those have their defaults."""

    def _compare(self, a, b):
        defaults = {hp.name: hp.default for hp in self.hyperparameters.space}
        return super()._compare(a, {name: b.get(name, defaults.get(name)) for name in {**a, **b}})


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

    def rejoin_bracket(self, trial):
        """Puts a trial that had failed back into the first round of its bracket, where that has room."""
        number = trial.hyperparameters.values["tuner/bracket"]
        for bracket in self._brackets:
            first = bracket["rounds"][0]
            if bracket["bracket_num"] == number and len(first) < self._get_size(number, round_num=0):
                first.append({"past_id": None, "id": trial.trial_id})

    def num_trials(self):
        """Returns how many trials all brackets will have run; each promotion is one."""
        brackets = range(self._get_num_brackets())
        return sum(self._get_size(b, r) for b in brackets for r in range(self._get_num_rounds(b)))
