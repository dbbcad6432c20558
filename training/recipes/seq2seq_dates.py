"""A GRU with attention that reads dates as people write them and writes 1979-05-03.

keras-vit train seq2seq_dates --run-dir runs/dates

93,245 parameters; 12 epochs, 180 s of one core. 20,000 dates of 1930 to 2029 in 23 forms; no day of the 2,000
test pairs is in the training split, in any form. Exact match: 99.95 % on test (95 %: 99.72 to 99.99), 100 %
on the 1,800 validation pairs.
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
    epochs=12,
    batch_size=64,
    learning_rate=4e-3,
    weight_decay=0.01,
)
