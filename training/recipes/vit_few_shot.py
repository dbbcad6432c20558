"""A linear classifier on the features of a pretrained Vision Transformer: minutes on a CPU, for few images.

    keras-vit train vit_few_shot data=folder:PATH --pretrained SOURCE --run-dir runs/photos

PATH holds one folder of images per class; SOURCE is a hub id, a folder, a file or a run folder.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="folder:photos",
    test_fraction=0.2,
    pretrained="timm/vit_small_patch16_224.dino",
    tuning="head",
    epochs=100,
    batch_size=8,
    learning_rate=3e-3,
)
