"""Lets `model.fit`, which begins with whole epochs, begin within one."""

import itertools

import keras


class ResumedCallbacks(keras.callbacks.CallbackList):
    """Callbacks of a training that begins within an epoch: its first steps are done, and passed over.

    `fit` goes through the whole epoch, so that its numbers are those of an epoch never interrupted; but
    the steps that are done train nothing, take no batch, and no callback hears of them.

    Args:
        callbacks: list of `keras.callbacks.Callback`. They restore the metrics in `on_epoch_begin`.
        first_step: int, steps of the first epoch that are done.
        **options: to `keras.callbacks.CallbackList`.
    """

    def __init__(self, callbacks, first_step, **options):
        super().__init__(callbacks, add_history=True, **options)
        self.first_step = first_step

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        if self.first_step:
            self.model.train_function = _PassedOver(self.model, self.first_step)

    def on_train_batch_begin(self, batch, logs=None):
        if batch >= self.first_step:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if batch >= self.first_step:
            super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.first_step = 0
        super().on_epoch_end(epoch, logs)


def stream_within_epoch(stream, step):
    """Adapts a training stream that begins at that step of an epoch to what `fit` does there."""
    if keras.backend.backend() == "tensorflow":
        return stream.filter(lambda *_: True)  # of unknown length: Keras counts passed steps as well
    if keras.backend.backend() == "torch":  # where Keras takes the batches of passed steps, too
        first = next(stream)
        return (batch for batch in itertools.chain(itertools.repeat(first, step + 1), stream))
    return stream


class _PassedOver:
    """Stands for `model.train_function` until the steps that are done are counted."""

    def __init__(self, model, steps):
        self.model = model
        self.train_function = model.train_function
        self.calls = steps // model.steps_per_execution
        self.logs = model.get_metrics_result()

    def __call__(self, *arguments):
        self.calls -= 1
        if not self.calls:
            self.model.train_function = self.train_function
        is_stateless = keras.backend.backend() == "jax"  # takes and returns the state
        return (self.logs, arguments[0]) if is_stateless else self.logs
