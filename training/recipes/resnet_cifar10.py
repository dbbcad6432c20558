"""A residual network of 20 layers on CIFAR-10, next to `vit_cifar10`.

keras-vit train resnet_cifar10 --run-dir runs/resnet_cifar10

15 epochs, where the paper has 164: https://arxiv.org/abs/1512.03385, section 4.2.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="tfds:cifar10",
    validation_fraction=0.02,
    model="resnet",
    variant="20",
    epochs=15,
    optimizer="sgd",
    momentum=0.9,
    learning_rate=0.1,
    weight_decay=0.0,
    label_smoothing=0.0,
    flip=True,
    crop_padding=4,
)
