"""A Vision Transformer on MNIST: 98 % after 15 epochs, and what each of its sizes is worth.

    keras-vit reproduce vit_mnist
    keras-vit reproduce vit_mnist --only baseline

The sweeps change one size of a small model at a time.
"""

from keras_vit.training import ImageRecipe
from keras_vit.training.reproduce import Configuration, Experiment, vary
from keras_vit.training.reproduce.plots import curves, sweep

BASELINE = ImageRecipe(
    data="tfds:mnist",
    validation_fraction=0.05,
    patch_size=7,
    hidden_dim=64,
    num_layers=4,
    num_heads=4,
    mlp_dim=128,
    epochs=15,
    batch_size=128,
    learning_rate=1e-3,
    label_smoothing=0.0,
)
SIZES = {
    "hidden_dim": (16, 32, 128),
    "patch_size": (2, 4, 14, 28),
    "num_layers": (1, 2, 8),
    "num_heads": (1, 2, 8),
    "mlp_dim": (32, 64, 256),
}


def sweeps(baseline):
    """Returns the configurations that differ from a baseline in one size."""
    return tuple(line for field, values in SIZES.items() for line in vary(baseline, field, values))


def sweep_plots():
    """Returns a plot of accuracy for each size, the baseline's included, and of time for the costliest."""
    return (
        *(_sweep_of(field, "accuracy") for field in SIZES),
        *(_sweep_of(field, "seconds") for field in ("hidden_dim", "patch_size", "num_layers")),
    )


def _sweep_of(field, metric):
    one_line = {"": lambda label: label == "baseline" or label.startswith(field)}
    return sweep(field, metric, groups=one_line, log=True)


EXPERIMENT = Experiment(
    title="Vision Transformer on MNIST",
    configurations=(Configuration("baseline", BASELINE, reported=0.98), *sweeps(BASELINE)),
    columns=("cross_entropy",),
    assumptions="The report names 15 epochs and the sizes it varied, not the model it varied them around: "
    "assumed are patches of 7 pixels, size 64, four blocks of four heads, an MLP of 128, a class token and "
    "AdamW at 0.001.",
    plots=(curves(labels=("baseline",)), *sweep_plots()),
)
