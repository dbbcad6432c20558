"""Vision Transformers for MNIST.

keras-vit tune vit_mnist --subset 10000 --run-dir runs/tune_mnist
"""

from keras_vit.training.recipes.vit_mnist import RECIPE
from keras_vit.training.tuning import Search

IMAGE_SIZE = 28


def space(hp):
    hp.Choice("patch_size", [4, 7, 14], divides=IMAGE_SIZE)
    with hp.conditional_scope("patch_size", lambda size: size.bit_count() == 1):  # powers of 2
        hp.Choice("stem", ["conv", "linear"])
    hp.Choice("hidden_dim", [32, 48, 64, 96, 128])
    hp.Choice("num_heads", [1, 2, 4, 8], divides="hidden_dim")
    hp.Int("num_layers", 2, 6)
    hp.Choice("mlp_dim", [64, 128, 256])
    hp.Choice("pooling", ["gap", "token", "map"])
    hp.Float("drop_path_rate", 0.0, 0.2)
    hp.Choice("optimizer", ["muon", "adamw"])
    hp.Float("learning_rate", 5e-4, 1e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("batch_size", [64, 128, 256])
    hp.Choice("epochs", [4, 8])
    hp.Int("crop_padding", 0, 4)
    hp.Choice("randaugment_layers", [0, 1, 2])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(RECIPE.replace(variant=None, patch_size=4, num_heads=4, stem="linear"), space)
