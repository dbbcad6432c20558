"""Position embeddings on CIFAR-10: none, learned, fixed along one axis, fixed along two.

keras-vit reproduce position_embeddings
"""

from keras_vit.training.experiments.vit_cifar10 import PLAIN
from keras_vit.training.reproduce import Experiment, vary

BASELINE = PLAIN.replace(flip=True, crop_padding=4)

EXPERIMENT = Experiment(
    title="Position embeddings",
    configurations=vary(
        BASELINE, "position_embedding", ("none", "learned", "sincos_1d", "sincos_2d"), seeds=(0, 1)
    ),
    assumptions="The plain model of the CIFAR-10 experiment, with flip and crop. Each map of a picture shows "
    "how similar one position's embedding is to those of the whole grid.",
    report_pictures=("position_similarity",),
)
