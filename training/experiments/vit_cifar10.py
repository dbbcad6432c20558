"""A Vision Transformer on CIFAR-10 from scratch: 57 % after 15 epochs, and what a good recipe makes of it.

keras-vit reproduce vit_cifar10
"""

from keras_vit.training.experiments.vit_mnist import BASELINE as MNIST
from keras_vit.training.recipes.vit_cifar10 import RECIPE as OURS
from keras_vit.training.reproduce import Configuration, Experiment

PLAIN = MNIST.replace(data="tfds:cifar10", validation_fraction=0.02, patch_size=4)

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
)
