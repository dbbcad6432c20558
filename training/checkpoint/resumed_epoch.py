"""Starts `model.fit`, which only starts at whole epochs, within an epoch."""

import itertools

import keras


class ResumedCallbacks(keras.callbacks.CallbackList):
    """Callbacks of a training that starts within an epoch, whose first steps are finished.

    `fit` iterates over the whole epoch, so that its step numbers are those of an uninterrupted one; but the
    finished steps train nothing, read no batch and call no callback. The callbacks restore the metrics in
    `on_epoch_begin`.
    """

    def __init__(self, callbacks, first_step, **options):
        super().__init__(callbacks, add_history=True, **options)
        self.first_step = first_step

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        if self.first_step:
            self.model.train_function = _SkippedSteps(self.model, self.first_step)

    def on_train_batch_begin(self, batch, logs=None):
        if batch >= self.first_step:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if batch >= self.first_step:
            super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.first_step = 0
        super().on_epoch_end(epoch, logs)


def streams_from(position, streams, *, steps, epochs):
    """Returns what `fit_from` gets to start at a position: `streams(epoch, step)`, `x` starting there.

    Raises whatever the streams raise, before anything of the training is written.
    """
    epoch, step = position.epoch, position.step
    start = (epoch, step) if step < steps else (epoch + 1, 0)
    if start == (epochs, 0):  # nothing is left to train on, but Keras refuses an empty stream
        start = (epoch, steps - 1)
    given = streams(*start)
    return {**given, "x": _within_epoch(given["x"], step)} if step else given


def fit_from(model, position, streams, callbacks, *, steps, epochs, until_epoch):
    """Trains by `model.fit` from a position until an epoch, as a part of a training of `epochs`."""
    step = position.step
    model.fit(
        **streams,
        epochs=until_epoch,
        initial_epoch=position.epoch,
        steps_per_epoch=steps,
        callbacks=ResumedCallbacks(callbacks, step, epochs=epochs, steps=steps, model=model),
        shuffle=False,  # a stream has its own order
        verbose=0,
    )


def executed_together(steps, limit):
    """Returns the most steps, up to the limit, that divide an epoch: Keras would exceed its end."""
    return max(count for count in range(1, limit + 1) if steps % count == 0)


def _within_epoch(stream, step):
    """Adapts a training stream that starts at that step of an epoch to how `fit` consumes it."""
    if keras.backend.backend() == "tensorflow":
        return stream.filter(lambda *_: True)  # of unknown length: Keras counts skipped steps too
    if keras.backend.backend() == "torch":  # where Keras reads a batch for each skipped step too
        first = next(stream)
        return (batch for batch in itertools.chain(itertools.repeat(first, step + 1), stream))
    return stream


class _SkippedSteps:
    """Replaces `model.train_function` until the finished steps are counted."""

    def __init__(self, model, steps):
        self.model = model
        self.train_function = model.train_function
        self.calls = steps // model.steps_per_execution
        self.logs = model.get_metrics_result()

    def __call__(self, *arguments):
        self.calls -= 1
        if not self.calls:
            self.model.train_function = self.train_function
        is_stateless = keras.backend.backend() == "jax"  # gets and returns the state
        return (self.logs, arguments[0]) if is_stateless else self.logs
