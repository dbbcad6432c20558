"""A tiny Vision Transformer on scikit-learn's 1,797 handwritten digits of 8 x 8 pixels.

keras-vit train vit_digits --run-dir runs/digits
"""

from training.recipe import Recipe

RECIPE = Recipe(
    data="digits",
    test_fraction=0.2,
    variant="Pico/2",
    pooling="gap",
    epochs=60,
    batch_size=64,
    learning_rate=3e-3,
    weight_decay=0.05,
    crop_padding=1,
)
