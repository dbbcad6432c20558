"""One text for another, character by character."""

import keras
import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.io.json_files import write_json
from keras_vit.models.char_seq2seq import is_seq2seq
from keras_vit.training.metrics import PAIRS
from keras_vit.training.recipe import PairRecipe
from keras_vit.training.tasks.characters import CharacterTask
from keras_vit.training.text.batches import PairBatches, pair_arrays
from keras_vit.training.text.pair_metrics import pair_metrics
from keras_vit.training.text.pair_report import write_report
from keras_vit.training.text.pairs import PairData, load_pairs


class SequenceToSequence(CharacterTask):
    """Writes the target of a source. The data are `PairData`, whose texts share one vocabulary."""

    load = staticmethod(load_pairs)
    recipe_class = PairRecipe
    data_class = PairData
    kind = "pairs"
    metrics = PAIRS
    tested = ("num_pairs", "pairs")
    items = "pairs"

    def build_model(self, data):
        lengths = {"source_length": data.max_source, "target_length": data.max_target + 1}
        return self.build(vocabulary_size=len(data.vocabulary), **lengths)

    def batches(self, data):
        return PairBatches(data, self.recipe.batch_size, self.recipe.seed)

    def held_out(self, data):
        return pair_arrays(data, data.validation)

    def fingerprint_arrays(self, data):
        splits = (data.train, data.validation)
        texts = ("\n".join(text for pair in split for text in pair) for split in splits)
        return [np.frombuffer(text.encode(), "uint8") for text in texts]

    def check_model(self, folder, model, data):
        expected = [(None, data.max_source), (None, data.max_target + 1)]
        shapes = [tensor.shape for tensor in model.inputs]
        if not is_seq2seq(model) or shapes != expected or model.output_shape[-1] != len(data.vocabulary):
            raise InputError(
                f"Expected {folder.model} to be a char_seq2seq from {expected} to logits of "
                f"{counted(len(data.vocabulary), 'token')}, received one from {shapes} to "
                f"{model.output_shape}. Put the run's own model there."
            )

    def evaluate(self, folder, model, data):
        metrics = {
            "data": data.name,
            "split": "test",
            "parameters": model.count_params(),
            "backend": keras.backend.backend(),
            **pair_metrics(model, data),
        }
        write_report(folder, model, data, metrics, self.recipe.as_dict(), self.place(metrics))
        write_json(folder.metrics, metrics)  # written last: marks the run complete
        return metrics

    def place(self, metrics):
        (low, high), count = metrics["exact_match_interval"], counted(metrics["num_pairs"], "pair")
        found = [f"exact match on more such pairs: {low:.4f} to {high:.4f} (95 %, by {count})"]
        if not metrics["exact_match"]:
            found.append(
                "hint: no target was written without a fault: train for more epochs, or with a smaller "
                "batch_size"
            )
        return found
