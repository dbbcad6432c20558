"""The streams that `model.fit` takes, for each Keras backend: tf.data under TensorFlow, else Python."""

import keras

from keras_vit.training.data.order import check_batch_size, check_start


class EvaluationBatches(keras.utils.PyDataset):
    """All rows of some arrays in order; the last batch may be smaller.

    Args:
        length: int, number of rows.
        batch_size: int.
        read: function from a slice to the arrays of those rows, nested as `model.fit` takes them.

    Raises:
        InputError: a batch size below 1.
    """

    def __init__(self, length, batch_size, read):
        super().__init__()
        check_batch_size(batch_size)
        self.length, self.batch_size, self.read = length, batch_size, read

    def __len__(self):
        return -(-self.length // self.batch_size)

    def __getitem__(self, index):
        return self.read(slice(index * self.batch_size, (index + 1) * self.batch_size))


def train_stream(split, **options):
    """Makes the training stream of images; under TensorFlow a `train_pipeline`, else `train_batches`.

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
    """Makes the stream of a split in order: uint8 images, one-hot labels. It can be iterated many times."""
    if keras.backend.backend() == "tensorflow":
        from keras_vit.training.data.pipeline import evaluation_pipeline

        return evaluation_pipeline(split, num_classes=num_classes, batch_size=batch_size)
    from keras_vit.training.data.loader import one_hot

    return EvaluationBatches(
        len(split), batch_size, lambda rows: (split.images[rows], one_hot(split.labels[rows], num_classes))
    )


def batch_stream(batches, *, epochs, start_epoch=0, start_step=0):
    """Makes the stream of a whole training, or the rest of one, from an object that computes each batch.

    Args:
        batches: an object with `steps`, the number of batches in an epoch, and `batch(epoch, step)`, which
            returns NumPy arrays, nested as `model.fit` takes them.
        epochs: int.
        start_epoch, start_step: ints, position of the first batch.

    Returns:
        tf.data.Dataset under TensorFlow, else a generator; the same batches on every backend.

    Raises:
        InputError: a start outside the epochs.
    """
    check_start(epochs, batches.steps, start_epoch, start_step)
    if keras.backend.backend() != "tensorflow":
        return _generate(batches, epochs, start_epoch, start_step)
    import tensorflow as tf

    signature = keras.tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), batches.batch(0, 0))
    dataset = tf.data.Dataset.from_generator(
        lambda: _generate(batches, epochs, start_epoch, start_step), output_signature=signature
    )
    return dataset.prefetch(2)


def _generate(batches, epochs, start_epoch, start_step):
    for epoch in range(start_epoch, epochs):
        for step in range(start_step, batches.steps):
            yield batches.batch(epoch, step)
        start_step = 0
