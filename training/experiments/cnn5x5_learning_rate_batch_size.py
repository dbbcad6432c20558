"""Learning rates and batch sizes on CIFAR-10, and the rule that both scale together.

    keras-vit reproduce cnn5x5_learning_rate_batch_size

The rule: a batch k times as large needs a rate k times as large (https://arxiv.org/abs/1706.02677).
"""

from keras_vit.training.experiments.cnn5x5_cifar10 import BASELINE as FULL
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, sweep

BASELINE = FULL.replace(subset=20_000, epochs=10)
RATES = (0.001, 0.0025, 0.01, 0.04, 0.16)
BATCH_SIZES = (32, 128, 512)
RULE = {32: 0.0025, 128: 0.01, 512: 0.04}


def _configuration(batch_size, rate):
    recipe = BASELINE.replace(batch_size=batch_size, learning_rate=rate)
    label = f"batch {batch_size}, rate {rate:g}"
    return Configuration(label + (", by the rule" if RULE[batch_size] == rate else ""), recipe)


def _of(batch_size):
    return lambda label: label.startswith(f"batch {batch_size},")


EXPERIMENT = Experiment(
    title="Learning rate and batch size",
    configurations=tuple(_configuration(size, rate) for size in BATCH_SIZES for rate in RATES),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs. By the rule: 0.01 at 128 images, "
    "four times that at 512, a quarter at 32.",
    plots=(
        sweep("learning_rate", groups={f"batch {size}": _of(size) for size in BATCH_SIZES}, log=True),
        bars(),
    ),
)
