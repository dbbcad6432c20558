from types import SimpleNamespace

import keras_tuner
import numpy as np

from keras_vit.training.tuning.results.plots import parallel_plot
from keras_vit.training.tuning.state.records import COMPLETED, TrialRecord


def test_the_line_of_a_trial_without_some_hyperparameters_reaches_its_score():
    hp = keras_tuner.HyperParameters()
    hp.Int("layers", 1, 3)
    hp.Int("units_2", 1, 9)
    hp.Choice("activation", ["relu", "gelu"])
    values = [{"layers": 3, "units_2": 9, "activation": "relu"}, {"layers": 1, "activation": "gelu"}]
    scored = [
        TrialRecord(str(number), value, 0, str(number), status=COMPLETED, score=0.5 + number / 4)
        for number, value in enumerate(values)
    ]
    figure = parallel_plot(scored, SimpleNamespace(hyperparameters=hp), ("val_accuracy", "max"), scored[1])
    whole, short = (line.get_xydata() for line in figure.axes[0].lines)
    assert whole[:, 0].tolist() == [0, 1, 2, 3] and short[:, 0].tolist() == [0, 2, 3]
    assert short[-1, 1] == 1 and np.isfinite(short).all()
