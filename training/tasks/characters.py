"""What the tasks share whose data are characters: the loss of each, the vocabulary, the streams."""

import abc
from collections.abc import Callable
from typing import ClassVar

import keras

from keras_vit.errors import InputError, counted
from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.data.order import WHOLE
from keras_vit.training.data.streams import batch_stream, evaluation_batches, shared
from keras_vit.training.own_parts import is_part, own_loss, own_metrics
from keras_vit.training.tasks.task import Task


class CharacterTask(Task):
    """Characters as tokens of a vocabulary, which `vocabulary.json` describes."""

    monitor = ("val_loss", "min")
    single_device = "--devices supports image models only"
    load: ClassVar[Callable]  # the loader of its data

    @abc.abstractmethod
    def batches(self, data):
        """Returns the batches of an epoch, one of those of `keras_vit.training.text.batches`."""

    @abc.abstractmethod
    def held_out(self, data):
        """Returns inputs, targets and weights of the validation split, nested as a model takes them."""

    def load_data(self, data_dir=None):
        return self.load(self.recipe.data, **self.options_of(self.load))

    def steps_per_epoch(self, data):
        return self.batches(data).steps

    def compile_options(self):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return {
            "loss": own_loss(self.recipe) if is_part(self.recipe.loss) else loss,
            "weighted_metrics": [
                keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
                *own_metrics(self.recipe),
            ],
        }

    def streams(self, data, start_epoch=0, start_step=0, share=WHOLE):
        train = batch_stream(
            self.batches(data), epochs=self.recipe.epochs, start_epoch=start_epoch, start_step=start_step
        )
        validation = evaluation_batches(self.held_out(data), batch_size=256)
        return {"x": shared(train, share), "validation_data": shared(validation, share)}

    def rank(self, logs):
        return [-float(logs["val_loss"])]

    def describe(self, folder, prepared):
        prepared.data.vocabulary.save(folder.vocabulary)

    def check_described(self, folder, data):
        trained = Vocabulary.load(folder.vocabulary)
        if trained != data.vocabulary:
            raise InputError(
                f"The text has another vocabulary than {folder.path} was trained on: expected "
                f"{counted(len(trained), 'token')}, received {len(data.vocabulary)}, or others."
            )
