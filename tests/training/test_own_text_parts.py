"""Text with parts of the user's own: what is refused, and a run that resumes, writes and becomes files."""

import pytest

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.text.readers import StepReader, WindowReader, reader_of
from keras_vit.training.recipe import TextRecipe, override
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run import evaluate, train
from keras_vit.training.tasks import task_of
from keras_vit.training.text.run import generate

PARTS = """
import keras
from keras import ops

def gru(vocabulary_size, units=12):
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 8)(tokens)
    x = keras.layers.GRU(units, return_sequences=True)(x)
    return keras.Model(tokens, keras.layers.Dense(vocabulary_size)(keras.layers.LayerNormalization()(x)))

def convolution(vocabulary_size, length, padding="causal"):
    return keras.Sequential([
        keras.Input((length,), dtype="int32"), keras.layers.Embedding(vocabulary_size, 16),
        keras.layers.Conv1D(16, 4, padding=padding, activation="relu"), keras.layers.Dense(vocabulary_size),
    ])

def softmax(vocabulary_size, length):
    return keras.Sequential([
        keras.Input((length,), dtype="int32"), keras.layers.Embedding(vocabulary_size, 16),
        keras.layers.Dense(vocabulary_size, activation="softmax"),
    ])

def one_place(vocabulary_size, length):
    layers = [keras.Input((length,), dtype="int32"), keras.layers.Embedding(vocabulary_size, 16)]
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(vocabulary_size)])

def focal(labels, logits):
    places = ops.expand_dims(ops.cast(labels, "int32"), -1)
    likelihood = ops.take_along_axis(ops.log_softmax(logits), places, axis=-1)[..., 0]
    return -((1 - ops.exp(likelihood)) ** 2) * likelihood

def lion(learning_rate):
    return keras.optimizers.Lion(learning_rate)

class Log(keras.callbacks.Callback):
    epochs = []
    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(sorted(logs))
"""
SMALL = ["lowercase=true", "epochs=2", "batch_size=256", "learning_rate=0.01"]
ALL = [
    "loss=own_text:focal", "optimizer=own_text:lion", "clip_norm=none", "weight_decay=0.05",
    "metrics=keras.metrics:SparseTopKCategoricalAccuracy", "callbacks=own_text:Log", *SMALL,
]  # fmt: skip


@pytest.fixture
def parts(own_module):
    return own_module("own_text", PARTS)


@pytest.mark.parametrize(
    ("message", "assignments"),
    [
        ("of own_text:convolution to depend on the tokens up to its own place alone", "padding=same"),
        ("return logits, received probabilities: leave its softmax out", "model=own_text:softmax"),
        (
            r"from tokens \(None, 27\) to logits .*\(None, 27, 27\), received .*length",
            "model=own_text:one_place",
        ),
        ("carry_state=true needs a char_rnn", "carry_state=true lines=false"),
        ("Recipe field 'augmentation' is for images alone", "augmentation=own_text:focal"),
        ("Unknown model 'rnn'. Expected one of char_rnn, char_transformer or module:build", "model=rnn"),
        ("Expected loss to be one of cross_entropy, received 'hinge'", "loss=hinge"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_one_line(parts, message, assignments):
    with pytest.raises(InputError, match=message) as error:
        chosen = ["model=own_text:convolution", *SMALL, *assignments.split()]
        task = task_of(override(TextRecipe(), chosen))
        task.build_model(task.load_data())
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("model", [pytest.param("gru", marks=pytest.mark.slow), "convolution"])
def test_a_run_resumes_writes_text_and_becomes_files(parts, tmp_path, capsys, model):
    recipe = override(TextRecipe(), [f"model=own_text:{model}", *ALL])
    whole = train(recipe, tmp_path / "whole")
    expected = ["accuracy", "loss", "sparse_top_k_categorical_accuracy"]
    assert parts.Log.epochs[-1] == [*expected, *(f"val_{name}" for name in expected)]
    assert load_recipe(tmp_path / "whole" / "recipe.json") == recipe
    train(recipe.replace(epochs=1), tmp_path / "parts_of_it")
    with pytest.warns(UserWarning, match="continues from epoch 1 to 2"):
        train(recipe, tmp_path / "parts_of_it", resume=True)
    assert evaluate(tmp_path / "whole") == whole.metrics
    texts = generate(tmp_path / "whole", 3, prefix="ty", max_length=10)
    assert len(texts) == 3 and all(text.startswith("ty") for text in texts)
    variants = ["--variant", "savedmodel", "--variant", "fp32"]
    assert main(["export", str(tmp_path / "whole"), *variants]) == 0
    (tmp_path / "names.txt").write_text("tyrannosaurus\n")
    figures = []
    for name in ("", "export/saved_model", "export/model_fp32.tflite"):
        capsys.readouterr()
        assert main(["predict", str(tmp_path / "whole" / name), str(tmp_path / "names.txt")]) == 0
        figures.append(capsys.readouterr().out.split()[-3])
    assert len(set(figures)) == 1


def test_a_model_that_is_read_step_by_step_is_one_of_the_layers_of_char_rnn(parts):
    task = task_of(TextRecipe(cell="lstm", hidden_dim=8, num_layers=2, dropout_rate=0.1))
    model = task.build_model(task.load_data())
    assert isinstance(reader_of(model), StepReader)
    own = task_of(TextRecipe(model="own_text:gru"))
    assert isinstance(reader_of(own.build_model(own.load_data())), WindowReader)
