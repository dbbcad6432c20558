"""Convolutional networks for MNIST.

keras-vit tune cnn_mnist --subset 10000 --run-dir runs/tune_cnn_mnist
"""

from keras_vit.training.recipes.cnn_cifar10 import RECIPE
from keras_vit.training.tuning import Search


def space(hp):
    hp.Choice("variant", ["3x3", "5x5"])
    hp.Choice("hidden_dim", [64, 128, 256, 512])
    hp.Choice("batch_norm", [True, False])
    hp.Choice("activation", ["relu", "gelu"])
    hp.Float("conv_dropout_rate", 0.0, 0.4)
    hp.Float("dropout_rate", 0.0, 0.6)
    hp.Choice("optimizer", ["muon", "adamw"])
    hp.Float("learning_rate", 3e-4, 1e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("batch_size", [64, 128, 256])
    hp.Choice("epochs", [4, 8])
    hp.Int("crop_padding", 0, 4)


SEARCH = Search(
    RECIPE.replace(
        data="tfds:mnist",
        validation_fraction=0.05,
        hidden_dim=512,
        epochs=8,
        flip=False,
        crop_padding=2,
    ),
    space,
)
