"""An LSTM on the names of 1,536 dinosaurs, character by character.

keras-vit train char_names_lstm --run-dir runs/names_lstm
"""

from keras_vit.training.recipes.char_names_gru import RECIPE as GRU

RECIPE = GRU.replace(cell="lstm")
