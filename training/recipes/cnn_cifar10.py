"""A convolutional network of six layers with batch normalisation on CIFAR-10, next to `vit_cifar10`.

keras-vit train cnn_cifar10 --run-dir runs/cnn_cifar10
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="tfds:cifar10",
    validation_fraction=0.02,
    model="cnn",
    variant="3x3",
    batch_norm=True,
    epochs=25,
    learning_rate=2e-3,
    flip=True,
    crop_padding=4,
)
