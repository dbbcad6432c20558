"""Vision Transformers for scikit-learn's 1,797 handwritten digits of 8 x 8 pixels.

keras-vit tune vit_digits --run-dir runs/tune_digits
"""

from keras_vit.training.recipes.vit_digits import RECIPE
from keras_vit.training.tuning import Search

IMAGE_SIZE = 8


def space(hp):
    hp.Choice("patch_size", [2, 4], divides=IMAGE_SIZE)
    hp.Choice("stem", ["conv", "linear"])
    hp.Choice("hidden_dim", [16, 32, 48, 64, 96])
    hp.Choice("num_heads", [1, 2, 4, 8], divides="hidden_dim")
    hp.Int("num_layers", 1, 6)
    hp.Choice("mlp_dim", [32, 64, 128, 256])
    hp.Choice("pooling", ["gap", "token", "map"])
    hp.Float("drop_path_rate", 0.0, 0.2)
    hp.Float("dropout_rate", 0.0, 0.2)
    hp.Choice("optimizer", ["muon", "adamw"])
    hp.Float("learning_rate", 5e-4, 1e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("batch_size", [32, 64, 128])
    hp.Choice("epochs", [40, 80])
    hp.Int("crop_padding", 0, 2)
    hp.Choice("randaugment_layers", [0, 1, 2])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(
    RECIPE.replace(variant=None, patch_size=2, hidden_dim=64, num_layers=4, num_heads=4, mlp_dim=128),
    space,
)
