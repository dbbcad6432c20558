"""Convolutional networks for CIFAR-10.

keras-vit tune cnn_cifar10 --subset 10000 --run-dir runs/tune_cnn_cifar10
"""

from keras_vit.training.recipes.cnn_cifar10 import RECIPE
from keras_vit.training.tuning import Search


def space(hp):
    hp.Choice("variant", ["3x3", "5x5"])
    hp.Choice("hidden_dim", [128, 256, 512, 1000])
    hp.Choice("batch_norm", [True, False])
    hp.Choice("activation", ["relu", "gelu"])
    hp.Float("conv_dropout_rate", 0.0, 0.4)
    hp.Float("dropout_rate", 0.0, 0.6)
    hp.Choice("optimizer", ["muon", "adamw"])
    hp.Float("learning_rate", 3e-4, 1e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("batch_size", [64, 128, 256])
    hp.Choice("epochs", [15, 25])
    hp.Int("crop_padding", 0, 6)
    hp.Float("mixup_alpha", 0.0, 0.4)
    hp.Choice("randaugment_layers", [0, 1, 2])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(RECIPE.replace(hidden_dim=512), space)
