"""The next character of a text."""

import keras
import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.io.json_files import write_json
from keras_vit.text.generation import generate
from keras_vit.text.readers import reader_of
from keras_vit.text.windows import split_windows
from keras_vit.training.callbacks.sample_log import SampleLog
from keras_vit.training.metrics import TEXT
from keras_vit.training.own_model import FromTokens
from keras_vit.training.recipe import TextRecipe
from keras_vit.training.tasks.characters import CharacterTask
from keras_vit.training.text.batches import CarriedBatches, LineBatches, WindowBatches
from keras_vit.training.text.carried_state import CarriedState, ResetStates
from keras_vit.training.text.corpus import TextData, load_text
from keras_vit.training.text.novelty import novelty
from keras_vit.training.text.report import write_report
from keras_vit.training.text.text_metrics import text_metrics

NUM_SAMPLES = 1000  # generated to measure novelty
NUM_SHOWN = 5  # at a time during training


class LanguageModelling(CharacterTask):
    """The next character. The data are `TextData`, `vocabulary.json` maps characters to tokens."""

    load = staticmethod(load_text)
    recipe_class = TextRecipe
    data_class = TextData
    kind = "text"
    metrics = TEXT
    tested = ("num_characters", "characters")
    items = "lines"
    contract = FromTokens

    def __init__(self, recipe):
        super().__init__(recipe)
        if not recipe.lines:
            self.items = "windows"

    def build_model(self, data):
        length = {} if self.recipe.model == "char_rnn" else {"length": data.window}
        model = self.build(vocabulary_size=len(data.vocabulary), **length)
        return CarriedState(model, self.recipe.batch_size) if self.recipe.carry_state else model

    def held_out(self, data):
        held = split_windows(data, data.validation)
        return held.inputs, held.targets, held.weights

    def fingerprint_arrays(self, data):
        splits = (data.train, data.validation)
        return [np.frombuffer("\n".join(split).encode(), "uint8") for split in splits]

    def check_model(self, folder, model, data):
        if len(model.inputs) != 1 or model.output_shape[-1] != len(data.vocabulary):
            raise InputError(
                f"Expected {folder.model} to be a model of {counted(len(data.vocabulary), 'token')}, "
                f"received one from {model.input_shape} to {model.output_shape}. Put the run's own model "
                "there."
            )

    def callbacks(self, folder, prepared):
        own = [ResetStates()] if self.recipe.carry_state else []
        if self.recipe.sample_every is None:
            return own

        def sample(model):
            return self.generate(model, prepared.data, NUM_SHOWN)

        return [*own, SampleLog(folder.samples, self.recipe.sample_every, sample)]

    def generate(self, model, data, num_samples):
        """Draws texts from a model with the recipe's seed; lines end, running text fills a window."""
        return generate(
            reader_of(model),
            data.vocabulary,
            num_samples,
            seed=self.recipe.seed,
            max_length=data.window - 1,
            stop=data.lines,
        )

    def evaluate(self, folder, model, data):
        metrics = {
            "data": data.name,
            "split": "test",
            "parameters": model.count_params(),
            "backend": keras.backend.backend(),
            **text_metrics(model, data),
        }
        samples = self.generate(model, data, NUM_SAMPLES if data.lines else NUM_SHOWN)
        if data.lines:
            metrics["novelty"] = novelty(samples, data.train)
        recipe = self.recipe.as_dict()
        write_report(folder, model, data, samples, metrics, recipe)
        write_json(folder.metrics, metrics)  # written last: marks the run complete
        return metrics

    def place(self, metrics):
        """A model that context does not help has learned less than its architecture allows."""
        own, pairs = metrics["cross_entropy"], metrics["bigram"]["cross_entropy"]
        if own < pairs:
            return []
        return [
            f"hint: no better than counting pairs of characters ({pairs:.4f} nats): train for more epochs, "
            "or with a smaller batch_size"
        ]

    def batches(self, data):
        running = CarriedBatches if self.recipe.carry_state else WindowBatches
        kind = LineBatches if data.lines else running
        return kind(data, self.recipe.batch_size, self.recipe.seed)
