"""Augmentations, compared on CIFAR-10.

keras-vit reproduce cnn5x5_augmentation
"""

from keras_vit.training.experiments.cnn5x5_learning_rate_batch_size import BASELINE
from keras_vit.training.reproduce import Experiment, variants

KINDS = {
    "none": {},
    "flips": {"flip": True},
    "crops": {"crop_padding": 4},
    "rotation by up to 15 degrees": {"rotation": 15.0},
    "erasing": {"erasing_rate": 0.25},
}
ALL = {field: value for kind in KINDS.values() for field, value in kind.items()}

EXPERIMENT = Experiment(
    title="Augmentation",
    configurations=variants(BASELINE, {**KINDS, "all together": ALL}),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs.",
)
