"""Asynchronous successive halving: stops unpromising trials while they run."""

import math

import keras_tuner
from keras_tuner import oracles

HALVINGS = 3  # a trial gets at least max_epochs / factor**HALVINGS epochs


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
                trial.status = "STOPPED"
        return trial
