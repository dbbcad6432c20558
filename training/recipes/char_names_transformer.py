"""A causal transformer on the names of 1,536 dinosaurs, character by character.

keras-vit train char_names_transformer --run-dir runs/names_transformer
"""

from keras_vit.training import TextRecipe

RECIPE = TextRecipe(
    data="names",
    lowercase=True,
    model="char_transformer",
    hidden_dim=64,
    num_layers=3,
    num_heads=4,
    dropout_rate=0.2,
    epochs=60,
    batch_size=32,
    learning_rate=3e-3,
    sample_every=500,
)
