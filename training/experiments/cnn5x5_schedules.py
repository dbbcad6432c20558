"""Learning-rate schedules, compared on CIFAR-10.

keras-vit reproduce cnn5x5_schedules
"""

from keras_vit.training.experiments.cnn5x5_learning_rate_batch_size import BASELINE
from keras_vit.training.reproduce import Experiment, vary

EXPERIMENT = Experiment(
    title="Learning-rate schedules",
    configurations=vary(
        BASELINE.replace(schedule="cosine", final_learning_rate=1e-4),
        "schedule",
        ("constant", "linear", "exponential", "step", "cosine", "polynomial"),
    ),
    assumptions="The 5x5 network on 20,000 training images for 10 epochs, from 0.01 to 0.0001; the "
    "constant rate stays at 0.01.",
)
