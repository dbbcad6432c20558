"""Batch normalisation in a small convolutional network on CIFAR-10: 75.77 % without, 79.32 % with it.

keras-vit reproduce cnn_batchnorm_cifar10
"""

from keras_vit.training import ImageRecipe
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves

WITHOUT = ImageRecipe(
    data="tfds:cifar10",
    validation_fraction=0.02,
    model="cnn",
    variant="3x3",
    epochs=25,
    batch_size=128,
    learning_rate=1e-3,
    weight_decay=0.0,
    label_smoothing=0.0,
)
WITH = WITHOUT.replace(batch_norm=True)
REGULARIZED = WITH.replace(flip=True, weight_decay=0.05, label_smoothing=0.1)

EXPERIMENT = Experiment(
    title="Batch normalisation on CIFAR-10",
    configurations=(
        Configuration("without", WITHOUT, reported=0.7577),
        Configuration("with batch normalisation", WITH, reported=0.7932),
        Configuration("with batch normalisation, regularised", REGULARIZED, reported=0.80),
    ),
    assumptions="The report does not name its optimizer: assumed are AdamW without weight decay at 0.001 "
    "with warm-up and cosine, batches of 128 and no augmentation. A second report gives 75 % without and "
    "80 % with it and does not name its set-up: next to its 80 % is the same network with left-right "
    "flips, weight decay 0.05 and label smoothing 0.1, so that its loss differs from theirs.",
    plots=(curves(), curves("loss", name="losses"), bars()),
)
