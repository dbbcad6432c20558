"""A network of 5x5 convolutions on CIFAR-10 that overfits at 60 %, and the effect of each remedy.

keras-vit reproduce cnn5x5_cifar10
"""

from keras_vit.training.experiments.cnn_batchnorm_cifar10 import WITHOUT as SMALL
from keras_vit.training.reproduce import Configuration, Experiment, variants
from keras_vit.training.reproduce.plots import bars, curves

BASELINE = SMALL.replace(
    variant="5x5",
    optimizer="sgd",
    momentum=0.9,
    learning_rate=0.01,
    schedule="constant",
    warmup_fraction=0.0,
    clip_norm=None,
)
REMEDIES = {
    "standardisation": {"normalization": "standardize"},
    "augmentation": {"flip": True, "crop_padding": 4},
    "schedule": {"schedule": "cosine"},
    "dropout": {"dropout_rate": 0.5},
    "batch normalisation": {"batch_norm": True},
}
ALL = {field: value for remedy in REMEDIES.values() for field, value in remedy.items()}

EXPERIMENT = Experiment(
    title="Overfitting on CIFAR-10, and remedies",
    configurations=(
        Configuration("baseline", BASELINE, reported=0.60),
        *variants(BASELINE, {**REMEDIES, "all together": ALL}),
    ),
    columns=("train_accuracy",),
    assumptions="The report names batches of 128 and a rate of 0.01: assumed are gradient descent with a "
    "momentum of 0.9 and 25 epochs. Its figure is a plateau of the validation accuracy, read from a plot; "
    "ours is the test accuracy of the epoch that is best on validation images, and the training accuracy is "
    "the last epoch's. Its table gives the dense layer 1,025,024 parameters, that is 1,024 biases; one for "
    "each of its 1,000 units makes 1,025,000.",
    plots=(
        curves(),
        curves("accuracy", name="training_curves"),
        curves("loss", name="losses"),
        curves("val_loss", name="validation_losses"),
        bars(),
    ),
)
