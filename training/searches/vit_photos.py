"""Vision Transformers for a folder of your own photographs, from scratch.

keras-vit tune vit_photos data=folder:PATH --tuner asha --max-latency-ms 2 --run-dir runs/tune_photos

PATH holds one folder of images per class.
"""

from keras_vit.training.recipes.vit_photos import RECIPE
from keras_vit.training.tuning import Search


def space(hp):
    hp.Choice("image_size", [48, 64, 96])
    hp.Choice("patch_size", [8, 16], divides="image_size")
    hp.Choice("stem", ["conv", "linear"])
    hp.Choice("hidden_dim", [64, 96, 128, 192])
    hp.Choice("num_heads", [2, 4], divides="hidden_dim")
    hp.Int("num_layers", 2, 6)
    hp.Choice("mlp_dim", [128, 256, 384])
    hp.Choice("pooling", ["gap", "map"])
    hp.Float("drop_path_rate", 0.0, 0.2)
    hp.Float("learning_rate", 5e-4, 1e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Float("label_smoothing", 0.0, 0.2)
    hp.Choice("randaugment_layers", [0, 1, 2])
    with hp.conditional_scope("randaugment_layers", lambda layers: layers > 0):
        hp.Float("randaugment_magnitude", 1.0, 9.0)


SEARCH = Search(
    RECIPE.replace(variant=None, patch_size=8, hidden_dim=128, num_layers=6, num_heads=4, mlp_dim=256), space
)
