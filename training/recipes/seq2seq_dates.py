"""A GRU with attention that reads dates as people write them and writes 1979-05-03.

keras-vit train seq2seq_dates --run-dir runs/dates
"""

from keras_vit.training import PairRecipe

RECIPE = PairRecipe(
    data="dates",
    num_pairs=20_000,
    max_source=40,
    model="char_seq2seq",
    cell="gru",
    hidden_dim=64,
    embedding_dim=32,
    attention="additive",
    epochs=8,
    batch_size=64,
    learning_rate=4e-3,
    weight_decay=0.01,
)
