"""A Vision Transformer on CIFAR-10 from scratch: 57 % after 15 epochs, and what a good recipe makes of it.

keras-vit reproduce vit_cifar10
"""

from keras_vit.training import ImageRecipe
from keras_vit.training.recipes.vit_cifar10 import RECIPE as OURS
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves

PLAIN = ImageRecipe(
    data="tfds:cifar10",
    validation_fraction=0.02,
    patch_size=4,
    hidden_dim=64,
    num_layers=4,
    num_heads=4,
    mlp_dim=128,
    epochs=15,
    batch_size=128,
    learning_rate=1e-3,
    label_smoothing=0.0,
)

EXPERIMENT = Experiment(
    title="Vision Transformer on CIFAR-10",
    configurations=(
        Configuration("plain, as the report has it", PLAIN, reported=0.57),
        Configuration("plain, flip and crop", PLAIN.replace(flip=True, crop_padding=4)),
        Configuration("recipe vit_cifar10", OURS, reported=0.57),
    ),
    assumptions="The report names 15 epochs and no sizes: assumed for the plain model are patches of 4 "
    "pixels, size 64, four blocks of four heads, an MLP of 128, a class token, AdamW at 0.001 and no "
    "augmentation.",
    plots=(curves(), bars()),
)
