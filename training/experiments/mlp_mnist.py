"""A network of one hidden layer on MNIST, trained by gradient descent on all images at once.

    keras-vit reproduce mlp_mnist

The last rows are the same network and a linear one, trained with mini-batches.
"""

from keras_vit.training import ImageRecipe
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves

FULL_BATCH = ImageRecipe(
    data="tfds:mnist",
    validation_fraction=0.05,
    subset=8000,
    model="mlp",
    hidden_dims=1024,
    activation="tanh",
    epochs=1000,
    batch_size=8000,
    optimizer="sgd",
    learning_rate=0.1,
    schedule="constant",
    warmup_fraction=0.0,
    weight_decay=0.0,
    clip_norm=None,
    label_smoothing=0.0,
)
LONGER = FULL_BATCH.replace(subset=10_000, batch_size=10_000, learning_rate=0.2, epochs=2000)
MINI_BATCH = FULL_BATCH.replace(
    subset=None,
    activation="relu",
    epochs=15,
    batch_size=128,
    optimizer="adamw",
    learning_rate=1e-3,
    schedule="cosine",
)
FULL_BATCH_LABELS = (
    "8,000 images, rate 0.1, 1,000 steps",
    "10,000 images, rate 0.2, 2,000 steps",
    "the same with ReLU",
)
LINEAR = MINI_BATCH.replace(model="linear", hidden_dims=None, activation=None)

EXPERIMENT = Experiment(
    title="Multilayer perceptron on MNIST",
    configurations=(
        Configuration(FULL_BATCH_LABELS[0], FULL_BATCH, reported=0.9135),
        Configuration(FULL_BATCH_LABELS[1], LONGER, reported=0.9371),
        Configuration(FULL_BATCH_LABELS[2], LONGER.replace(activation="relu"), reported=0.9371),
        Configuration("all images, mini-batches, ReLU", MINI_BATCH, seeds=(0, 1, 2)),
        Configuration("linear, cross-entropy", LINEAR, seeds=(0, 1, 2)),
        Configuration("linear, hinge loss", LINEAR.replace(loss="hinge"), seeds=(0, 1, 2)),
    ),
    columns=("train_accuracy",),
    assumptions="The report's iterations and epochs are read as steps of gradient descent on all its "
    "training images. It does not name its activation: tanh is assumed, and ReLU compared. It tested the "
    "first row on 2,000 images of its own; ours are the 10,000 of MNIST's test split. Of 10,000 training "
    "images it gives 98.16 % as the accuracy on these themselves.",
    plots=(
        curves("loss", labels=FULL_BATCH_LABELS),
        bars(),
    ),
    quick=("epochs=2", "subset=640", "batch_size=128"),
)
