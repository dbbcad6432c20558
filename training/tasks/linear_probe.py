"""A head that is trained on features of a pretrained model, which is not trained."""

from keras_vit.io.label_kinds import CLASS
from keras_vit.training.data.order import WHOLE
from keras_vit.training.data.streams import batch_stream, in_order, shared, weighted
from keras_vit.training.fine_tuning.probe import (
    NEIGHBOURS,
    FeatureData,
    TrainingBatches,
    features_of,
    nearest_neighbours_accuracy,
    split_at_head,
)
from keras_vit.training.tasks.images import ImageTask
from keras_vit.training.tasks.task import Prepared


class LinearProbe(ImageTask):
    """Trains the head of a pretrained model alone: the backbone computes each image once in a run.

    Of classes, `metrics.json` also has the accuracy of the nearest neighbours among the training images.
    """

    single_device = (
        "tuning=head computes the features once and trains a small head, for which one device suffices"
    )

    @classmethod
    def accepts(cls, recipe):
        return super().accepts(recipe) and recipe.tuning == "head"

    def _prepare(self, data):
        whole = self.build_model(data)
        backbone, head = split_at_head(whole)
        return Prepared(head, FeatureData.compute(data, backbone), whole)

    def streams(self, data, start_epoch=0, start_step=0, share=WHOLE):
        recipe, held = self.recipe, data.features["validation"]
        batches = TrainingBatches(
            data.features["train"], data.num_classes, recipe.batch_size, recipe.seed, self.sampling(data)
        )
        has_weights = data.train.weights is not None
        change = weighted(lambda *batch: batch, data.num_classes, has_weights, self.target.weights())
        start = {"start_epoch": start_epoch, "start_step": start_step}
        train = batch_stream(batches, epochs=recipe.epochs, change=change, **start)
        validation = in_order(len(held), recipe.batch_size, lambda rows: held.rows(rows, data.num_classes))
        return {"x": shared(train, share), "validation_data": shared(validation, share)}

    def fingerprint_arrays(self, data):
        features = data.features["train"].arrays if isinstance(data, FeatureData) else ()
        return [*super().fingerprint_arrays(data), *features]

    def extra_metrics(self, model, data):
        if data.label_kind != CLASS:
            return {}
        backbone, _ = split_at_head(model)
        known = data.features if isinstance(data, FeatureData) else {}
        train = known.get("train") or features_of(backbone, data.train)
        accuracy = nearest_neighbours_accuracy(train, features_of(backbone, data.test))
        return {"nearest_neighbours": {"neighbours": NEIGHBOURS, "accuracy": accuracy}}
