"""A Vision Transformer on CIFAR-10 in 200 epochs, from scratch; for a GPU.

    keras-vit train vit_cifar10_200 --run-dir runs/cifar10_200

Augmentation follows the 300-epoch recipe of the Compact Transformers, https://arxiv.org/abs/2104.05704.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="tfds:cifar10",
    validation_fraction=0.02,
    variant="Lite-7/4",
    stem="conv",
    pooling="gap",
    drop_path_rate=0.1,
    epochs=200,
    learning_rate=6e-4,
    final_learning_rate=1e-5,
    warmup_fraction=0.05,
    weight_decay=0.06,
    ema_momentum=0.999,
    precision="mixed_bfloat16",
    flip=True,
    crop_padding=4,
    randaugment_layers=2,
    mixup_alpha=0.8,
    cutmix_alpha=1.0,
    erasing_rate=0.25,
)
