"""A LeViT for small images on Fashion-MNIST, from scratch: convolutions, then attention.

keras-vit train levit_fashion_mnist precision=mixed_bfloat16 --run-dir runs/levit_fashion_mnist

Test accuracy 94.05 % with seed 0.
"""

from keras_vit.training.recipes.levit_cifar10 import RECIPE as CIFAR10

RECIPE = CIFAR10.replace(data="tfds:fashion_mnist", variant="Nano", epochs=12, crop_padding=2)
