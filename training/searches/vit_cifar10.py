"""Vision Transformers for CIFAR-10.

keras-vit tune vit_cifar10 --tuner asha --subset 10000 --run-dir runs/tune_cifar10
"""

from keras_vit.training.recipes.vit_cifar10 import RECIPE
from keras_vit.training.tuning import Search

IMAGE_SIZE = 32


def space(hp):
    hp.Choice("patch_size", [4, 8], divides=IMAGE_SIZE)
    hp.Choice("stem", ["conv", "linear"])
    hp.Choice("hidden_dim", [96, 128, 192, 256])
    hp.Choice("num_heads", [2, 4, 8], divides="hidden_dim")
    hp.Int("num_layers", 4, 9)
    hp.Choice("mlp_dim", [192, 384, 768])
    hp.Choice("pooling", ["gap", "token", "map"])
    hp.Float("drop_path_rate", 0.0, 0.3)
    hp.Choice("optimizer", ["muon", "adamw"])
    hp.Float("learning_rate", 5e-4, 1e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("batch_size", [64, 128, 256])
    hp.Choice("epochs", [15, 30])
    hp.Int("crop_padding", 2, 6)
    hp.Float("mixup_alpha", 0.0, 0.4)
    hp.Float("cutmix_alpha", 0.0, 1.0)
    hp.Choice("randaugment_layers", [0, 1, 2])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(RECIPE.replace(variant=None, patch_size=8, hidden_dim=192, num_heads=4), space)
