"""A Vision Transformer on Fashion-MNIST, and what each of its sizes is worth.

keras-vit reproduce vit_fashion_mnist
"""

from keras_vit.training.experiments.vit_mnist import BASELINE as MNIST
from keras_vit.training.experiments.vit_mnist import sweep_plots, sweeps
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import curves

BASELINE = MNIST.replace(data="tfds:fashion_mnist")

EXPERIMENT = Experiment(
    title="Vision Transformer on Fashion-MNIST",
    configurations=(Configuration("baseline", BASELINE), *sweeps(BASELINE)),
    columns=("cross_entropy",),
    assumptions="The same model and the same sweeps as on MNIST, the only ones with a figure in the report.",
    plots=(curves(labels=("baseline",)), *sweep_plots()),
)
