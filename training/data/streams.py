"""The streams that `model.fit` takes, by the Keras backend: tf.data under TensorFlow, else Python."""

import keras


def train_stream(split, **options):
    """Makes the training stream: `training.data.pipeline.train_pipeline`, or the same from Python.

    Args:
        split: Split.
        **options: num_classes, batch_size, epochs, seed, augmentation, start_epoch, start_step.
    """
    if keras.backend.backend() == "tensorflow":
        from training.data.pipeline import train_pipeline

        return train_pipeline(split, **options)
    from training.data.loader import train_batches

    return train_batches(split, **options)


def evaluation_stream(split, *, num_classes, batch_size):
    """Makes the stream of a split in order: uint8 images, one-hot labels. It can be read many times."""
    if keras.backend.backend() == "tensorflow":
        from training.data.pipeline import evaluation_pipeline

        return evaluation_pipeline(split, num_classes=num_classes, batch_size=batch_size)
    from training.data.loader import EvaluationBatches

    return EvaluationBatches(split, num_classes=num_classes, batch_size=batch_size)
