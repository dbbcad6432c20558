"""A simple RNN on the names of 1,536 dinosaurs, trained on one name after the other.

keras-vit train char_names_rnn --run-dir runs/names_rnn

One name a step, plain gradient descent at a constant rate, each gradient clipped to [-5, 5], one-hot
characters and a state of 50: 28 epochs of the 1,244 training names are 34,832 steps. Samples every 2,000.
"""

from keras_vit.training import TextRecipe

RECIPE = TextRecipe(
    data="names",
    lowercase=True,
    model="char_rnn",
    cell="simple",
    hidden_dim=50,
    epochs=28,
    batch_size=1,
    optimizer="sgd",
    learning_rate=0.01,
    schedule="constant",
    warmup_fraction=0.0,
    weight_decay=0.0,
    clip_norm=None,
    clip_value=5.0,
    sample_every=2000,
)
