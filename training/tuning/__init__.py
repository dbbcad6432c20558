"""Searches for recipes, one process per trial.

`api.search` validates a search (`plan`), and runs it or a part of it (`search_run`). The rooms: `space` (what
varies), `state` (oracles and journal), `workers` (processes of this machine), `cluster` (several machines)
and `results`. `costs` has the figures that limits are about, `keras_tuner_internals` all private names of
KerasTuner.
"""

from keras_vit.training.tuning.space.search import Search

__all__ = ["Search"]
