"""Optimizers, compared on CIFAR-10.

keras-vit reproduce cnn5x5_optimizers
"""

from keras_vit.training.experiments.cnn5x5_learning_rate_batch_size import BASELINE
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves

RATES = {"sgd": 0.01, "adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3, "adagrad": 0.01, "adadelta": 1.0}
WEIGHT_DECAY = {"adamw": 0.05}

EXPERIMENT = Experiment(
    title="Optimizers",
    configurations=tuple(
        Configuration(
            f"{optimizer}, rate {rate:g}",
            BASELINE.replace(
                optimizer=optimizer,
                learning_rate=rate,
                momentum=0.9 if optimizer == "sgd" else 0.0,
                weight_decay=WEIGHT_DECAY.get(optimizer, 0.0),
            ),
        )
        for optimizer, rate in RATES.items()
    ),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs, each optimizer at the rate that "
    "its authors or users start from; gradient descent with a momentum of 0.9.",
    plots=(curves(), bars()),
)
