"""A GRU with attention that reads dates as people write them and writes 1979-05-03.

keras-vit train seq2seq_dates --run-dir runs/dates
"""

from keras_vit.training import PairRecipe

RECIPE = PairRecipe(
    data="dates",
    model="char_seq2seq",
    cell="gru",
    hidden_dim=64,
    embedding_dim=32,
    attention="additive",
    epochs=20,
    batch_size=128,
    learning_rate=4e-3,
    weight_decay=0.01,
    max_source=40,
)
