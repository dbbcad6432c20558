"""The streams that `model.fit` takes, by the Keras backend: tf.data under TensorFlow, else Python."""

import keras

from keras_vit.training.data.order import check_start


def train_stream(split, **options):
    """Makes the training stream: `keras_vit.training.data.pipeline.train_pipeline`, or the same from Python.

    Args:
        split: Split.
        **options: num_classes, batch_size, epochs, seed, augmentation, start_epoch, start_step.
    """
    if keras.backend.backend() == "tensorflow":
        from keras_vit.training.data.pipeline import train_pipeline

        return train_pipeline(split, **options)
    from keras_vit.training.data.loader import train_batches

    return train_batches(split, **options)


def evaluation_stream(split, *, num_classes, batch_size):
    """Makes the stream of a split in order: uint8 images, one-hot labels. It can be read many times."""
    if keras.backend.backend() == "tensorflow":
        from keras_vit.training.data.pipeline import evaluation_pipeline

        return evaluation_pipeline(split, num_classes=num_classes, batch_size=batch_size)
    from keras_vit.training.data.loader import EvaluationBatches

    return EvaluationBatches(split, num_classes=num_classes, batch_size=batch_size)


def batch_stream(batches, *, epochs, start_epoch=0, start_step=0):
    """Makes the stream of a whole training, or of the rest of one, from what gives each of its batches.

    Args:
        batches: an object with `steps`, batches in an epoch, and `batch(epoch, step)`, which returns NumPy
            arrays, nested as `model.fit` takes them.
        epochs: int.
        start_epoch, start_step: ints, where to begin.

    Returns:
        tf.data.Dataset under TensorFlow, else a generator; the same batches on every backend.

    Raises:
        InputError: a start outside the epochs.
    """
    check_start(epochs, batches.steps, start_epoch, start_step)
    if keras.backend.backend() != "tensorflow":
        return _generated(batches, epochs, start_epoch, start_step)
    import tensorflow as tf

    signature = keras.tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), batches.batch(0, 0))
    dataset = tf.data.Dataset.from_generator(
        lambda: _generated(batches, epochs, start_epoch, start_step), output_signature=signature
    )
    return dataset.prefetch(2)


def _generated(batches, epochs, start_epoch, start_step):
    for epoch in range(start_epoch, epochs):
        for step in range(start_step, batches.steps):
            yield batches.batch(epoch, step)
        start_step = 0
