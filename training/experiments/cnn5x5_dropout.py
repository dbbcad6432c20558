"""Dropout rates from 0 to 1, compared on CIFAR-10.

keras-vit reproduce cnn5x5_dropout
"""

from keras_vit.training.experiments.cnn5x5_learning_rate_batch_size import BASELINE
from keras_vit.training.reproduce import Experiment, vary
from keras_vit.training.reproduce.plots import curves, sweep

EXPERIMENT = Experiment(
    title="Dropout",
    configurations=vary(BASELINE, "dropout_rate", (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs, dropout before the last layer; "
    "at a rate of 1 nothing gets through, and the network guesses.",
    plots=(sweep("dropout_rate"), sweep("dropout_rate", "train_accuracy"), curves()),
)
