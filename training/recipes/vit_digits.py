"""A tiny Vision Transformer on scikit-learn's 1,797 handwritten digits of 8 x 8 pixels.

keras-vit train vit_digits --run-dir runs/digits
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="digits",
    test_fraction=0.2,
    variant="Pico/2",
    stem="conv",
    pooling="gap",
    dropout_rate=0.1,
    epochs=80,
    batch_size=64,
    optimizer="muon",
    learning_rate=4e-3,
    crop_padding=1,
    randaugment_layers=1,
    randaugment_magnitude=5.0,
)
