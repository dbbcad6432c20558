"""Normalisations of pixels, compared on CIFAR-10.

keras-vit reproduce cnn5x5_normalization
"""

from keras_vit.training.experiments.cnn5x5_learning_rate_batch_size import BASELINE
from keras_vit.training.normalization import NORMALIZATIONS
from keras_vit.training.reproduce import Experiment, variants

KINDS = {kind.replace("_", " "): {"normalization": kind} for kind in NORMALIZATIONS}

EXPERIMENT = Experiment(
    title="Normalisation of pixels",
    configurations=variants(BASELINE, {"scaled to [0, 1]": {}, **KINDS}),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs. Whitening after 10,000 of them, "
    "with 0.01 added to the variances; L1 and L2 norms are scaled so that pixels keep their size.",
)
