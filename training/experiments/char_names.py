"""Names of dinosaurs: a simple RNN that learns from one name a step, then a GRU, an LSTM and a Transformer.

keras-vit reproduce char_names

The samples of the first model, drawn every 2,000 steps, are in its run's `samples.json` and its report.
"""

from keras_vit.training.recipes import find_recipe
from keras_vit.training.reproduce import Configuration, Experiment
from keras_vit.training.reproduce.plots import bars, curves


def _configuration(label, recipe, **options):
    return Configuration(label, find_recipe(f"char_names_{recipe}").RECIPE, **options)


EXPERIMENT = Experiment(
    title="Character models of names",
    configurations=(
        _configuration("simple RNN, one name a step", "rnn"),
        _configuration("GRU", "gru", seeds=(0, 1, 2)),
        _configuration("LSTM", "lstm", seeds=(0, 1, 2)),
        _configuration("Transformer", "transformer", seeds=(0, 1, 2)),
    ),
    metric="bits_per_character",
    columns=("cross_entropy", "bigram.cross_entropy", "novelty.novel_share", "novelty.duplicate_share"),
    assumptions="The report gives samples and a smoothed training loss, no figure of held-out names. Ours "
    "are of 154 names that took no part in training, an end of a name counted as a character, in bits, and "
    "in nats (cross entropy) next to those of a bigram model counted on the same training names; each seed "
    "holds out different names. The report's 35,000 steps of one name each are 28 epochs of our 1,244 "
    "training names, 34,832 steps: assumed are a state of 50, characters one-hot, and a constant rate of "
    "0.01 for the loss in nats per character. Novelty is that of 1,000 samples at temperature 1.",
    plots=(curves("val_loss"), bars("bits_per_character")),
    quick=("epochs=1",),
)
