"""A small Vision Transformer on MNIST.

    keras-vit train vit_mnist --run-dir runs/mnist

Test accuracy 99.6 % (one run, seed 0); 3.6 minutes an epoch on one CPU core.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="tfds:mnist",
    validation_fraction=0.05,
    variant="Nano/4",
    hidden_dim=64,
    num_layers=4,
    mlp_dim=128,
    stem="conv",
    pooling="gap",
    epochs=8,
    optimizer="muon",
    learning_rate=4e-3,
    crop_padding=2,
)
