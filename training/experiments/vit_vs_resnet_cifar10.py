"""A Vision Transformer and a residual network on CIFAR-10 (50 against 60 %), and how much data each needs.

    keras-vit reproduce vit_vs_resnet_cifar10

The second part trains on 1 to 100 % of the images, for as many epochs as make about the same number of steps.
"""

from keras_vit.training.experiments.cnn_batchnorm_cifar10 import WITH as CNN
from keras_vit.training.experiments.vit_cifar10 import PLAIN
from keras_vit.training.recipes.resnet_cifar10 import RECIPE as RESNET
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves, sweep

SHARES = {500: 1528, 2450: 241, 12250: 48, 49_000: 12}  # images: epochs
VIT = PLAIN.replace(flip=True, crop_padding=4)
MODELS = {
    "ViT": VIT,
    "CNN": CNN.replace(flip=True, crop_padding=4),
    "ResNet": RESNET,
}


def _of(name):
    return lambda label: label.startswith(name) and "images" in label


EXPERIMENT = Experiment(
    title="Vision Transformer against residual network on CIFAR-10",
    configurations=(
        Configuration("ViT, 15 epochs", VIT, reported=0.50),
        Configuration("ResNet-20, 15 epochs", RESNET, reported=0.60),
        *(
            Configuration(f"{name}, {images:,} images", recipe.replace(subset=images, epochs=epochs))
            for name, recipe in MODELS.items()
            for images, epochs in SHARES.items()
        ),
    ),
    assumptions="The report names neither sizes nor epochs: assumed are the plain model of the CIFAR-10 "
    "experiment, ResNet-20, and 15 epochs with flip and crop. The CNN is that of two blocks with batch "
    "normalisation. On 500 to 49,000 images each model trains for 1,528, 241, 48 and 12 epochs: 4,584, "
    "4,579, 4,560 and 4,584 steps.",
    plots=(
        curves(labels=("ViT, 15 epochs", "ResNet-20, 15 epochs")),
        sweep("subset", groups={name: _of(name) for name in MODELS}, log=True),
        bars(),
    ),
)
