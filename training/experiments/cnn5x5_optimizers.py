"""Optimizers, compared on CIFAR-10.

keras-vit reproduce cnn5x5_optimizers
"""

from keras_vit.training.experiments.cnn5x5_learning_rate_batch_size import BASELINE
from keras_vit.training.reproduce import Experiment, variants

RATES = {"sgd": 0.01, "adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3, "adagrad": 0.01, "adadelta": 1.0}
OPTIONS = {"sgd": {"momentum": 0.9}, "adamw": {"weight_decay": 0.05}}

EXPERIMENT = Experiment(
    title="Optimizers",
    configurations=variants(
        BASELINE,
        {
            f"{name}, rate {rate:g}": {"optimizer": name, "learning_rate": rate, **OPTIONS.get(name, {})}
            for name, rate in RATES.items()
        },
    ),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs, each optimizer at the rate that "
    "its authors or users start from; gradient descent with a momentum of 0.9.",
)
