"""A small Vision Transformer on a folder of your own photographs, from scratch.

    keras-vit train vit_photos data=folder:PATH --run-dir runs/photos

PATH holds one folder of images per class.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="folder:photos",
    image_size=64,
    test_fraction=0.2,
    variant="Nano/8",
    stem="conv",
    pooling="gap",
    epochs=40,
    batch_size=16,
    optimizer="muon",
    learning_rate=3e-3,
    crop_area=0.35,
    flip=True,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    hue=0.05,
    randaugment_layers=1,
    randaugment_magnitude=5.0,
)
