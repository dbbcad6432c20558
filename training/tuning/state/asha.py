"""Stops hopeless trials while they run, as an oracle of KerasTuner's kind."""

import math

import keras_tuner
from keras_tuner import oracles

SHORTEST = 3  # a trial gets at least max_epochs / factor**SHORTEST epochs


class ASHAOracle(oracles.RandomSearchOracle):
    """Random search that stops a trial which is not among the best at its rung.

    At `max_epochs / factor`, `max_epochs / factor**2` ... epochs a trial goes on when its best value so far
    is among the best `1 / factor` of all that have come to that rung, and is stopped otherwise. Nobody waits:
    the first to come to a rung goes on. That is the asynchronous successive halving of Li et al. 2020,
    https://arxiv.org/abs/1810.05934, in the form that stops rather than pauses, so that a trial is one run.

    It is an oracle, not a study of Optuna's, because KerasTuner's `update_trial` has a place for the answer
    (the status of the trial it returns), which reaches local and remote workers alike, and because the same
    journal then resumes every kind of search. It is this rule and not the median's because that one cannot
    stop anything before some trials have ended, and never more than half of the others.

    Args:
        max_epochs: int, epochs of a trial that is never stopped.
        factor: int, at least 2.
        **options: to `keras_tuner.oracles.RandomSearchOracle`.
    """

    def __init__(self, max_epochs, factor=3, **options):
        super().__init__(max_trials=None, **options)
        self.factor = factor
        counts = (math.ceil(max_epochs / factor**halving) for halving in range(1, SHORTEST + 1))
        self.rungs = {epochs: [] for epochs in counts if epochs < max_epochs}  # epochs: best values there

    @keras_tuner.synchronized
    def update_trial(self, trial_id, metrics, step=0):
        """Takes the figures of an epoch, from 1. The trial it returns is STOPPED when it should end."""
        trial = super().update_trial(trial_id, metrics, step)
        if step in self.rungs:
            best = trial.metrics.get_best_value(self.objective.name)
            reached = self.rungs[step]
            reached.append(best)
            better = sum(self.objective.better_than(other, best) for other in reached)
            if better >= max(1, len(reached) // self.factor):
                trial.status = "STOPPED"
        return trial
