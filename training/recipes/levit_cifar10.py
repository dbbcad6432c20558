"""A LeViT for small images on CIFAR-10, from scratch: convolutions, then attention.

    keras-vit train levit_cifar10 precision=mixed_bfloat16 --run-dir runs/levit_cifar10

Its file in dynamic int8 takes no longer than that of `vit_cifar10` in mixed int8.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="tfds:cifar10",
    validation_fraction=0.02,
    model="levit",
    variant="Milli",
    epochs=16,
    optimizer="convolution_muon",
    learning_rate=4e-3,
    flip="alternating",
    crop_padding=4,
    crop_fill="reflect",
)
