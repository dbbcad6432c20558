"""The effect of pre-training: from MNIST at 28 pixels to the digits at 32, against from scratch.

    keras-vit reproduce vit_transfer

The digits are 1,797 images of 8 x 8 pixels by other writers, enlarged; 100 to 800 of them are for training.
"""

from keras_vit.training import ImageRecipe
from keras_vit.training.experiments.vit_mnist import BASELINE as MNIST
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves, sweep

SOURCE = "pre-training on MNIST"
PRETRAINING = MNIST.replace(subset=20_000, patch_size=4, pooling="gap", epochs=3, crop_padding=2)
FINE_TUNING = ImageRecipe(
    pretrained=SOURCE,  # replaced by that run's folder
    data="digits",
    image_size=32,
    subset=100,
    test_fraction=0.2,
    epochs=30,
    batch_size=20,
    learning_rate=5e-4,
    label_smoothing=0.0,
)
SCRATCH = PRETRAINING.replace(
    **{field: getattr(FINE_TUNING, field) for field in ("data", "image_size", "subset", "test_fraction")},
    validation_fraction=FINE_TUNING.validation_fraction,
    epochs=30,
    batch_size=20,
    crop_padding=0,
)
LONG = 158  # epochs of 400 images: as many as pre-training (3 x 20,000) and fine-tuning (8 x 400) see
SIZES = {100: 30, 200: 15, 400: 8, 800: 4}  # images: epochs, for as many steps each


def _fine_tuned(label, **changes):
    return Configuration(label, FINE_TUNING.replace(**changes), pretrained_by=SOURCE)


def _scratch(label, **changes):
    return Configuration(label, SCRATCH.replace(**changes))


EXPERIMENT = Experiment(
    title="Transfer from MNIST at 28 pixels to other digits at 32",
    columns=("nearest_neighbours.accuracy",),
    configurations=(
        Configuration(SOURCE, PRETRAINING),
        _scratch("from scratch, as long as fine-tuning"),
        _fine_tuned("fine-tuned"),
        _fine_tuned("fine-tuned, rates by depth", layer_decay=0.75),
        _fine_tuned("fine-tuned block by block", tuning="gradual", unfreeze_every=4),
        _fine_tuned("low-rank adaptation", tuning="lora", learning_rate=2e-3),
        _fine_tuned("head alone", tuning="head", learning_rate=5e-3),
        *(
            make(f"{name}, {images} images", subset=images, epochs=epochs)
            for name, make in (("scratch", _scratch), ("pre-trained", _fine_tuned))
            for images, epochs in SIZES.items()
        ),
        _scratch("scratch, 400 images, as long as both", subset=400, epochs=LONG),
    ),
    assumptions="The report fine-tunes a ViT-B/16 with ImageNet weights and gives no figures that can be "
    "compared with these: here a small model is pre-trained on 20,000 images of another set. "
    "`As long as both` sees as many images as pre-training and fine-tuning together. The first line is the "
    "accuracy on MNIST itself.",
    plots=(
        bars(),
        curves(labels=("from scratch, as long as fine-tuning", "fine-tuned", "head alone")),
        sweep(
            "subset",
            groups={
                "pre-trained": lambda label: label.startswith("pre-trained,"),
                "from scratch": lambda label: label.startswith("scratch,") and "both" not in label,
            },
            log=True,
        ),
    ),
)
