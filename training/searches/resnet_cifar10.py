"""Residual networks for CIFAR-10.

keras-vit tune resnet_cifar10 --tuner hyperband --subset 10000 --run-dir runs/tune_resnet_cifar10
"""

from keras_vit.training.recipes.resnet_cifar10 import RECIPE
from keras_vit.training.tuning import Search


def space(hp):
    hp.Choice("variant", ["20", "32", "56", "18"])
    hp.Float("dropout_rate", 0.0, 0.3)
    hp.Float("learning_rate", 0.01, 0.4, sampling="log")
    hp.Float("momentum", 0.8, 0.95)
    hp.Float("weight_decay", 1e-5, 1e-2, sampling="log")
    hp.Float("warmup_fraction", 0.0, 0.2)
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("batch_size", [64, 128, 256])
    hp.Choice("epochs", [15, 30])
    hp.Int("crop_padding", 2, 6)
    hp.Float("mixup_alpha", 0.0, 0.4)
    hp.Float("cutmix_alpha", 0.0, 1.0)
    hp.Choice("randaugment_layers", [0, 1, 2])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(RECIPE.replace(stem="3x3"), space)  # "18" is for large images by itself
