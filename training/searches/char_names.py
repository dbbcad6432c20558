"""Recurrent models of names, character by character.

keras-vit tune char_names --run-dir runs/tune_names
"""

from keras_vit.training.recipes.char_names_gru import RECIPE
from keras_vit.training.tuning import Search


def space(hp):
    hp.Choice("cell", ["gru", "lstm", "simple"])
    hp.Choice("hidden_dim", [64, 96, 128, 160, 224])
    hp.Int("num_layers", 1, 2)
    hp.Choice("embedding_dim", [8, 16, 32, 64])
    hp.Float("dropout_rate", 0.0, 0.5)
    hp.Choice("optimizer", ["muon", "adamw"])
    hp.Float("learning_rate", 5e-4, 2e-2, sampling="log")
    hp.Float("weight_decay", 1e-3, 0.3, sampling="log")
    hp.Choice("batch_size", [16, 32, 64])
    hp.Choice("epochs", [15, 25])


SEARCH = Search(RECIPE.replace(num_layers=1, sample_every=None), space)
