"""An LSTM on the names of 1,536 dinosaurs, character by character.

keras-vit train char_names_lstm --run-dir runs/names_lstm
"""

from keras_vit.training import TextRecipe

RECIPE = TextRecipe(
    data="names",
    lowercase=True,
    model="char_rnn",
    cell="lstm",
    hidden_dim=160,
    embedding_dim=32,
    dropout_rate=0.3,
    epochs=25,
    batch_size=32,
    learning_rate=4e-3,
    weight_decay=0.05,
    sample_every=500,
)
