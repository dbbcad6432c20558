"""Images and their classes, told apart by a head on features that are never trained."""

import keras

from keras_vit.training.data.streams import batch_stream
from keras_vit.training.fine_tuning.neighbours import NEIGHBOURS, nearest_neighbours_accuracy
from keras_vit.training.fine_tuning.probe import (
    TrainingBatches,
    evaluation_batches,
    features_of,
    split_at_head,
)
from keras_vit.training.tasks.image_classification import ImageClassification


class LinearProbe(ImageClassification):
    """Trains the head of a pretrained model alone: its backbone sees each image once, before the training.

    Beside the head's own figures `metrics.json` tells what the nearest neighbours of an image would say.
    """

    single_device = (
        "tuning=head computes the features once and trains a small head, for which one device suffices"
    )

    def __init__(self, recipe):
        super().__init__(recipe)
        self._features = {}  # by split

    @classmethod
    def accepts(cls, recipe):
        return super().accepts(recipe) and recipe.tuning == "head"

    def build_model(self, data):
        self.whole = super().build_model(data)
        self.backbone, head = split_at_head(self.whole)
        return head

    def finished(self, model):
        return keras.Model(self.whole.inputs, self.whole.outputs, name=self.whole.name)

    def streams(self, data, start_epoch=0, start_step=0):
        options = (data.num_classes, self.recipe.batch_size)
        batches = TrainingBatches(self._features_of(data, "train"), *options, self.recipe.seed)
        train = batch_stream(
            batches, epochs=self.recipe.epochs, start_epoch=start_epoch, start_step=start_step
        )
        validation = evaluation_batches(self._features_of(data, "validation"), *options)
        return {"x": train, "validation_data": validation}

    def learnt_from(self, data):
        return [*super().learnt_from(data), *self._features_of(data, "train").arrays]

    def further_figures(self, model, data):
        self.backbone, _ = split_at_head(model)
        accuracy = nearest_neighbours_accuracy(
            self._features_of(data, "train"), self._features_of(data, "test"), data.num_classes
        )
        return {"nearest_neighbours": {"neighbours": NEIGHBOURS, "accuracy": accuracy}}

    def _features_of(self, data, split):
        if split not in self._features:
            self._features[split] = features_of(self.backbone, getattr(data, split))
        return self._features[split]
